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
        ("We use cookies to improve your visit.\nThe cell divides.\nAccept all cookies", "The cell divides.\n"),
        ("本网站使用Cookie来改善体验。\n细胞会分裂。\n展开全文", "细胞会分裂。\n"),
    ],
)
def test_removes_what_scraping_and_templates_left(text: str, better: str) -> None:
    assert fixed(Markup(), text) == better


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<p>kept &amp; shown</p>\n```",
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


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("List the cats in JSX.", "<ul>{cats.map(c => <li key={c}>{c}</li>)}</ul>"),
        ("Mail me a heading from Perl.", "print MAIL '<h2>' . $title . '</h2>';"),
        ("Show it in Svelte.", "{#each cats as cat}<p>{cat}</p>{/each}"),
        (
            "Return the first one, with a comment for the docs.",
            "/** The <b>first</b>. <p> */\nCat first() { return cats[0]; }",
        ),
        ("Which text is &amp;lt; once decoded?", "It is &lt; then."),
        ("Replace the smaller sign.", 's.replace("&lt;", "<")'),
        ("The line that loads a.js?", '<script src="a.js"></script>'),
        ("Hide that target.", "<!-- <target name='old'/> -->"),
        ("The words of our consent banner, please.", "Your visit\nWe use cookies to count you.\nAccept cookies"),
        ("Which brackets hold type arguments?", "Map<b> and List<p> hold them."),
        ("Make it bold.", "<b>Paris</b>"),
        ("Give me three names.", "<custom-name>Ada</custom-name>"),
        ("Give me three names.", "<b>Ada and <i>Ben</b>"),
        ("Give me three names.", '<p onclick="go()">Ada</p>'),
    ],
)
def test_what_is_shown_stays(prompt: str, response: str) -> None:
    turns = one(prompt, response)
    assert outcome(Markup(), turns).turns is turns


def test_a_prompt_about_html_protects_the_answer() -> None:
    turns = one("Write an HTML paragraph", "<p>Hello &amp; welcome</p>")
    assert outcome(Markup(), turns).turns is turns


def test_what_a_prompt_shows_is_edited_only_where_the_answer_was_scraped_too() -> None:
    shown = one("Who wrote <i>Emma</i>?", "Jane Austen.")
    assert outcome(Markup(), shown).turns is shown
    scraped = one("<p>Who wrote it?</p>", "<p>Jane Austen.</p>")
    assert outcome(Markup(), scraped).turns == one("Who wrote it?\n", "Jane Austen.\n")


def test_what_may_be_a_remnant_is_tagged() -> None:
    result = outcome(Markup(), one("Give me three names.", "<b>Ada and <i>Ben</b>"))
    assert [(tag.word, tag.turn, tag.field) for tag in result.tags] == [("markup", 1, "response")]


def test_an_entity_that_is_asked_about_stays() -> None:
    asked = one(prompt="Why does everybody type &mdash;?", response="&mdash; is a long stroke.")
    assert not outcome(Markup(), asked).changes
    met = one(prompt="What is the time?", response="Noon &mdash; or so.")
    assert outcome(Markup(), met).changes
