"""What the keys and roles of training data are called in the field: many names, few meanings.

A key is compared without case, blanks, hyphens and underscores, so that `systemPrompt`, `System Prompt` and
`system_prompt` are one name. Names of a meaning stand in the order in which they are taken when a record has several.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from corpus_pipeline.lazy_patterns import lazily

_BETWEEN = lazily(r"[\s_\-.]+")

_KEYS = {
    "system": "system systemprompt systemmessage systeminstruction systeminstructions sysprompt sysmessage metainstruction"
    " systemcontent systemtext developer developermessage persona",
    "prompt": "instruction instructions prompt question query problem userprompt userquery userinput usermessage userquestion"
    " userinstruction user human request humanprompt questiontext questioncontent problemstatement inquiry ask"
    " taskdefinition definition inputs"
    " prompts questions queries inputtext promptstring promptcontent conversationprompt q prompttext"
    " instructiontext instructionprompt"
    " frage anweisung pregunta instrucción pergunta instrução domanda istruzione"
    " вопрос инструкция 问题 問題 指令 提问 質問 질문 指示 input",
    "context": "context input passage document article background paragraph knowledge contexts documents passages"
    " inputcontext contexttext contextdata sourcetext excerpt supportingtext additionalcontext"
    " kontext contexto contexte contesto контекст 上下文 背景 输入",
    "response": "response output completion generatedsolution solution answer reply assistant assistantresponse"
    " assistantmessage assistantreply modelresponse modeloutput botresponse gptresponse airesponse answertext outputtext"
    " responsetext completiontext targets target generatedanswer generatedresponse generatedtext generation"
    " finalresponse finalanswer final outputs responsecontent expectedoutput expectedanswer expectedresponse"
    " expertresponse goldanswer referenceanswer bestanswer idealresponse ideal gold chatgpt bot gpt gpt4 a moss"
    " responses completions replies solutions generations targettext modeloutputs modelresponses"
    " antwort respuesta resposta risposta réponse reponse ответ 回答 答案 输出 回复 答复 応答 답변",
    "reasoning": "reasoning reasoningcontent thinking thought thoughts complexcot cot chainofthought rationale think analysis"
    " innerthoughts scratchpad reasoningtrace thinkingtrace thinkingprocess thoughtprocess reasoningprocess deepthink"
    " innermonologue reasoningsteps thinkingcontent",
    "chosen": "chosen chosenresponse chosenanswer chosenmessages chosenmessage chosenoutput chosencompletion preferred"
    " preferredoutput preferredresponse preferredanswer preferredcompletion responsechosen answerchosen accepted"
    " acceptedresponse acceptedanswer winningresponse betterresponse betteranswer responsej",
    "rejected": "rejected rejectedresponse rejectedanswer rejectedmessages rejectedmessage rejectedoutput"
    " rejectedcompletion rejectedresponses dispreferred dispreferredoutput dispreferredresponse nonpreferredoutput"
    " nonpreferredresponse nonpreferred responserejected answerrejected losingresponse worseresponse worseanswer responsek",
    "label": "label ktotag desirable isdesirable preferredlabel thumbsup isgood ispreferred liked",
    "history": "history chathistory conversationhistory dialoghistory dialoguehistory previousturns previousmessages"
    " pastmessages pastturns contextmessages",
    "tools": "tools functions function availabletools availablefunctions tooldefinitions functiondefinitions toolslist apis"
    " apilist toolset toolschemas functionschemas",
    "calls": "answers toolcalls functioncalls calls groundtruth expectedcalls expectedtoolcalls functioncall toolcall"
    " answercalls apicalls",
    "messages": "messages conversations conversation dialog dialogue dialogues dialogs chat chats turns contents thread"
    " messagelist chatmessages utterances exchanges data segments rounds convo convos conv talk trajectory texts",
    "choices": "choices options mcchoices answerchoices candidates endings optiona opa opb ending0",
    "role": "role from speaker author sender rolename speakerrole party actor",
    "content": "content value text message utterance parts body contents sentence says said",
    "parent": "parentid parentmessageid replyto parentuuid inreplyto parent parentpostid",
}

_ROLES = {
    "system": "system sys systemprompt systemmessage sysprompt системa система systemnachricht sistema système systeme"
    " 系统 系統 システム"
    " 시스템 instructions",
    "developer": "developer dev",
    "user": "user human prompter client customer student questioner enduser person patient interviewer utilisateur"
    " usuario usuário benutzer nutzer mensch kunde humain humano umano utente gebruiker użytkownik kullanıcı пользователь"
    " человек 用户 用戶 人类 人類 使用者 客户 问 ユーザー 人間 사용자 인간 उपयोगकर्ता مستخدم"
    " userinput userquery inquirer learner asker q",
    "assistant": "assistant gpt model bot chatgpt ai aiassistant agent chatbot gpt4 gpt35 gpt3.5 gpt4o claude bard bing llm"
    " llama moss doctor tutor teacher expert therapist machine helper assistent asistente assistente assistentin ki"
    " asystent asistan ассистент помощник модель 助手 助理 机器人 機器人 模型 答 アシスタント 어시스턴트 सहायक مساعد"
    " modelresponse answerer a",
    "tool": "tool function ipython observation functionresponse toolresponse toolresult tooloutput functionresult"
    " functionoutput environment toolresponses results 工具 werkzeug herramienta 观察 функция",
    "function_call": "functioncall toolcall functioncalls toolcalls",
}


def plain_name(word: str) -> str:
    """A name without case and without what stands between its words."""
    return _BETWEEN.sub("", word).casefold()


_MEANING_ORDER = {kind: {name: at for at, name in enumerate(names.split())} for kind, names in _KEYS.items()}
_ROLE_OF = {plain_name(name): role for role, names in _ROLES.items() for name in names.split()}


@lru_cache(maxsize=4096)
def keys_by_meaning(keys: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The keys of a record by what they mean, those of one meaning in the order in which they are to be taken. Treat it as
    read-only.
    """
    plain = [(key, plain_name(key)) for key in keys]
    found = {}
    for kind, order in _MEANING_ORDER.items():
        mine = sorted((order[name], at) for at, (_, name) in enumerate(plain) if name in order)
        if mine:
            found[kind] = tuple(plain[at][0] for _, at in mine)
    return found


@lru_cache(maxsize=4096)
def role_of(word: str) -> str | None:
    """The canonical role (system, developer, user, assistant, tool, function_call) of a role as it is found."""
    if word.startswith(TOOL_NAMESPACE):
        return "tool"
    return _ROLE_OF.get(plain_name(word.strip().strip("<>|:[]")))


TOOL_NAMESPACE = "functions."  # before the names of tools in the messages of gpt-oss


# beside a text these may name anything: a model, a flag, a note
_WEAK_ANSWERS = frozenset(
    ("final", "ideal", "gold", "generation", "generations", "chatgpt", "bot", "gpt", "gpt4", "a", "moss")
)


def answer_keys(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys under which an answer lies, as a text or as a list of texts, whatever it is that the record asks."""
    keys = (
        *keys_by_meaning(tuple(record)).get("response", ()),
        *(key for key in record if plain_name(key) == "answers"),
    )
    return tuple(key for key in keys if plain_name(key) not in _WEAK_ANSWERS and _is_said(record[key]))


_ANSWERS_OF_SEVERAL = lazily(
    r"(response|answer|completion|output|reply|generation)([a-e]|[0-9]{1,2})"
    r"|(all|model|sampled|other|candidate)?(responses|answers|completions|outputs|replies|generations|samples|candidates)"
)


def several_answers(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that hold one of several answers, such as `response_a`, or all of them."""
    return tuple(key for key in record if _ANSWERS_OF_SEVERAL.fullmatch(plain_name(key)) and _is_said(record[key]))


def _is_said(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(one, str) for one in texts)


def means(key: str, kind: str) -> bool:
    """Whether a key is a name of this meaning."""
    return plain_name(key) in _MEANING_ORDER[kind]


def names_of(kinds: Iterable[str]) -> frozenset[str]:
    """All names of these meanings, as `plain_name` gives them."""
    return frozenset(name for kind in kinds for name in _MEANING_ORDER[kind])
