"""Refusals: conversations whose every answer is an assistant saying that it will not or cannot answer."""

from __future__ import annotations

import re

from pydantic import Field

from corpus_pipeline.stages.clean.rules.base import Outcome, Rule, View

_REFUSED_VERBS = (
    "assist|help|provide|fulfil+|comply|answer|create|generate|write|complete|engage|participate|discuss|support|offer|share"
    "|give|respond|browse|access|perform|process|produce|recommend|promote|endorse|encourage|condone|make"
    "|order|book|send|purchase|disclose|reveal|diagnose|do that|do this"
)
_AS_AI = r"as an? (?:ai|artificial intelligence|large language|language)\b[^.\n]{0,60}?,"
_CANNOT = (
    r"(?:can(?:no|['’])t|can not|could(?: not|n['’]t)|won['’]t|will not|must decline to"
    r"|(?:am|['’]m) (?:unable|not able) to)"
)
_LACK = (
    r"(?:(?:do not|don['’]t) have (?:the (?:ability|capability|capabilities)|access)|(?:am|['’]m) not (?:capable|able))"
)

# One pattern per language, matched at the start of an answer: an apology or "as an AI", then what is not done.
_PATTERNS = (
    rf"(?:(?:i['’]?m|i am|we['’]?re|we are)(?: (?:very|so|really|truly))? (?:sorry|afraid)|(?:so |very )?sorry"
    rf"|i apologi[sz]e|(?:my |our )?apologies|unfortunately|regrettably|{_AS_AI})[^.!?\n]{{0,60}}?[,.!;:]?\s*"
    rf"(?:(?:but|however|and|that)\b,? ?)?(?:{_AS_AI}\s*)?(?:unfortunately,? )?(?:i|we) ?(?:just |simply )?"
    rf"(?:{_CANNOT} (?:\w+ )?(?:{_REFUSED_VERBS})\b|{_LACK})",
    rf"(?:i|we) {_CANNOT} (?:\w+ )?(?:(?:assist|help)(?: you)? with|(?:fulfil+|comply with|complete|answer)) "
    r"(?:this|that|your|the) (?:\w+ )?(?:request|question|prompt|task|query)?",
    r"(?:(?:很|非常|十分)?抱歉|对不起|不好意思|實在抱歉|對不起)[，,。.!！\s]*[^。！？\n]{0,30}?"
    r"(?:无法|無法|不能|没办法|没有能力|不便|不会|拒绝)[^。！？\n]{0,12}?"
    r"(?:提供|回答|帮|幫|协助|協助|满足|滿足|完成|生成|执行|处理|撰写|写|创建|访问|查看|讨论|继续|参与|给出|回复|支持)",
    r"作为(?:一个|一名|一款|一位)?(?:ai|人工智能|大?语言模型|智能助手|聊天机器人)[^。！？\n]{0,20}?[，,]\s*我?"
    r"(?:无法|不能|没有(?:能力|办法)|不会|不便)",
    r"我(?:无法|不能|没有办法|不便)(?:回答|提供|满足|协助|帮助|完成|执行)(?:您|你|这个|该|此|这样|这类|相关)",
    r"(?:申し訳(?:ありません|ございません)|すみません|恐れ入ります)[^。\n]{0,60}?"
    r"(?:できません|できかねます|いたしかねます|お答えできません)",
    r"(?:죄송합니다|죄송하지만|미안하지만)[^\n]{0,60}?(?:수 없습니다|수 없어요|드릴 수 없|어렵습니다)",
    r"(?:lo siento|lamento|disculp[ae])[^.\n]{0,40}?\bno (?:puedo|es posible|podemos)\b",
    r"(?:je suis|nous sommes) (?:vraiment )?désolée?s?[^.\n]{0,40}?\b(?:ne (?:peux|pouvons)|n['’]ai) pas\b",
    r"(?:es tut mir leid|tut mir leid|entschuldigung|leider)[^.\n]{0,40}?\bkann ich\b[^.\n]{0,80}\bnicht\b"
    r"|es tut mir leid[^.\n]{0,20}?\bich kann\b[^.\n]{0,80}\b(?:nicht|keine)\b",
    r"(?:извините|к сожалению|простите)[^.\n]{0,30}?\bя не (?:могу|в состоянии)\b",
)
_REFUSAL = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)
# Every pattern begins with one of these.
_STARTS = frozenset(
    "i'm|i’m|im |i a|i c|i w|i m|we |we'|we’|wer|sor|so |ver|my |our|apo|unf|reg|as "
    "|lo |lam|dis|je |nou|es |tut|ent|lei|изв|к с|про".split("|")
)
_EASTERN_STARTS = frozenset("很非十抱对對不實作我申す恐죄미")


def _may_refuse(answer: str | None) -> bool:
    """Whether an answer's first characters are those of a refusal; an answer that is not there says nothing."""
    return answer is None or answer[:3].lower() in _STARTS or answer[:1] in _EASTERN_STARTS


# What follows a "sorry, I cannot see it" that then answers all the same.
_GOES_ON = re.compile(
    r"\b(?:however|that (?:being )?said|nevertheless|instead|here(?:['’]s| is| are)|but i can"
    r"|i can (?:still )?(?:help|offer|provide|suggest|try|give|tell))\b|但|不过|然而|我可以|以下|しかし|ただし|다만"
    r"|sin embargo|cependant|jedoch|однако",
    re.IGNORECASE,
)


class Refusals(Rule):
    name = "refusals"
    summary = (
        "Drops conversations whose every answer is a refusal from its first words on (English, Chinese, Japanese, "
        "Korean, Spanish, French, German, Russian); a refusal that goes on to answer, or among other answers, stays."
    )
    reasons = ("refusal",)

    class Params(Rule.Params):
        max_bytes: int = Field(400, ge=1, description="of UTF-8; a longer answer says more than no and is kept")

    params: Params

    def screen(self, view: View) -> bool:
        # with tools at hand, saying that none of them fits is what a sample teaches
        if not view.turns or (view.tools is not None and view.tools.strip() not in ("", "[]")):
            return False
        return _may_refuse(view.turns[-1].response)

    def apply(self, view: View) -> Outcome:
        turns = view.turns
        answers = 0
        for turn in turns:
            if turn.response is not None:
                answers += 1
                if not self._is_refusal(turn.response):
                    return Outcome(turns)
            if turn.extra and turn.extra.get("tool_calls"):
                return Outcome(turns)
        if not answers:
            return Outcome(turns)
        return self.drop(turns, "refusal", turn=1 if len(turns) == 1 else 0, field="response")

    def _is_refusal(self, answer: str) -> bool:
        if not _may_refuse(answer) or len(answer) > self.params.max_bytes:
            return False
        if len(answer.encode("utf-8", "surrogatepass")) > self.params.max_bytes:
            return False
        match = _REFUSAL.match(answer)
        return match is not None and _GOES_ON.search(answer, match.end()) is None
