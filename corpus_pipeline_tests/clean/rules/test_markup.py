from __future__ import annotations

import pytest

from corpus_pipeline.stages.clean.rules.markup import Markup
from corpus_pipeline_tests.clean.rules.making import fixed, one, outcome


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("Good film.<br /><br />See it.", "Good film.\n\nSee it."),
        ("<p>First.</p><p>Second.</p>", "First.\nSecond.\n"),
        ('A <b>bold</b> and <a href="http://x.org/a.html">linked</a> word', "A bold and linked word"),
        ("<div class='x'>你好，<span>世界</span></div>", "你好，世界\n"),
        ("Fish &amp; chips &quot;here&quot; &#39;now&#39;&nbsp;!", "Fish & chips \"here\" 'now' !"),
        ("5 &lt; 7 &amp;&amp; 7 &gt; 5", "5 < 7 && 7 > 5"),
        ("twice &amp;amp; encoded", "twice & encoded"),
        ("&" + "amp;" * 50_000 + "nbsp;x", " x"),
        ("The answer.<|endoftext|>", "The answer."),
        ("<|im_start|>assistant\nHi<|im_end|>", "assistant\nHi"),
        ("[INST] Say hi. [/INST]", " Say hi. "),
        ("<s>Bonjour</s>", "Bonjour"),
        ("<|im_<|pad|>end|>x", "x"),  # removing one token must not make another
        ("<｜end▁of▁sentence｜>好", "好"),
        ("text<script>var a = 1;</script> goes <!-- note --> on", "text goes  on"),
        ("We use cookies to improve your visit.\nThe cell divides.\nAccept all cookies", "The cell divides.\n"),
        ("本网站使用Cookie来改善体验。\n细胞会分裂。\n展开全文", "细胞会分裂。\n"),
    ],
)
def test_removes_what_scraping_and_templates_left(text: str, better: str) -> None:
    assert fixed(Markup(), text) == better


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<p>kept &amp; shown</p> <|endoftext|>\n```",
        "Type `<br>` or `&amp;` here",
        "Use the HTML tag <b>bold</b> and &amp; for an ampersand",
        "<!DOCTYPE html><p>A page</p>",
        "List<String> and Map<K, V> and vector<p> and a <b and c> d",
        r"$a < b$ and \begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix}",
        "<think>step by step</think> 4",
        "<answer>4</answer> <tool_call>{}</tool_call>",
        "48/2 = <<48/2=24>>24, <<SY>>",
        "if a <b> c then x",
        "a < b and b > c; 1 <2> 3",
        "F# pipes: xs |> f <| y, Haskell p <|> q",
        "The literal text &lt;b&gt; stays escaped",
        "Old price <s>10</s> 8",
        "This website uses cookies to remember you.",  # nothing else is said, so this is the answer
        "He baked.\nWe use cookies to thank our helpers.\nAll cookies were eaten.",
        "AT&T; R&D; http://x.org/?a=1&copy=2",
        "我会在网页上写 <b>粗体</b>",
    ],
)
def test_leaves_code_maths_and_text_about_markup_alone(text: str) -> None:
    assert fixed(Markup(), text) == text


def test_a_prompt_about_html_protects_the_answer() -> None:
    turns = one("Write an HTML paragraph", "<p>Hello &amp; welcome</p><|endoftext|>")
    result = outcome(Markup(), turns)
    assert result.turns[0].response == "<p>Hello &amp; welcome</p>"
    assert [change.count for change in result.changes] == [1]
