"""Templates that try to get at objects, files or processes (see the CVEs named in `sandbox.py`)."""

from __future__ import annotations

import pytest

from corpus_pipeline.templates import PromptTemplate, TemplateFault

CONTEXT = {"text": "row text", "numbers": [1, 2], "table": {"key": "value"}}

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ text.__class__ }}",
    "{{ text['__class__'] }}",
    "{{ table['__class__'] }}",
    "{{ numbers['append'](3) }}",
    "{{ text|attr('__class__') }}",
    "{{ ('%s' % text)|attr('format') }}",
    "{{ '{0.__class__}'.format(text) }}",
    "{{ '{x.__class__}'.format_map({'x': text}) }}",
    "{{ ''|attr('format_map') }}",
    "{% set f = text.format %}{{ f(1) }}",
    "{{ text|map('format') }}",
    "{{ numbers|map(attribute='__class__')|list }}",
    "{{ [text]|groupby('__class__') }}",
    "{{ cycler('a', 'b').next() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner(',') }}",
    "{{ lipsum() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ namespace(x=1) }}",
    "{{ dict(a=1) }}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ loop }}",
    "{{ range }}",
    "{{ range.__globals__ }}",
    "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop }}{% endfor %}",
    "{% for x in numbers recursive %}{{ loop(numbers) }}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import environ %}",
    "{% extends 'base.html' %}",
    "{% block body %}{{ self.body() }}{% endblock %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call range(3) %}x{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x %}big{% endset %}{{ x }}",
    "{% do numbers.append(3) %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% autoescape true %}{{ text }}{% endautoescape %}",
    "{{ text|safe }}",
    "{{ text|xmlattr }}",
    "{{ text|pprint }}",
    "{{ text is callable }}",
    "{{ text is filter }}",
    "{% debug %}",
    "{{ _counted(text) }}",
    "{{ numbers|counted }}",
    "{{ table }}",
    "{{ none }}",
    "{{ missing }}",
    "{{ missing.attribute }}",
    "{{ table['missing'] }}",
    "{{ 1 / 0 }}",
    "{{ text + 1 }}",
    "{{ 'x' ~ text }}",
    "{{ {'a': 1} }}",
    "{% set a, b = 1, 2 %}{{ a }}",
]


@pytest.mark.parametrize("payload", ESCAPES)
def test_a_payload_is_a_fault_and_nothing_else(payload: str) -> None:
    with pytest.raises(TemplateFault):
        PromptTemplate(payload).render(CONTEXT)


@pytest.mark.parametrize(
    "value",
    [object(), len, {1, 2}, b"bytes", {"nested": [object()]}],
    ids=["object", "function", "set", "bytes", "nested"],
)
def test_only_plain_values_get_in(value: object) -> None:
    with pytest.raises(TemplateFault, match="plain values only"):
        PromptTemplate("x").render({"value": value})


def test_a_text_with_methods_of_its_own_becomes_a_plain_one() -> None:
    class Sly(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "escaped"

        def __len__(self) -> int:
            return 0

    assert PromptTemplate("{{ text }} {{ text|length }}").render({"text": Sly("plain")}) == "plain 5"


def test_what_a_prompt_needs_works() -> None:
    template = PromptTemplate(
        "{% if text %}Given: {{ text }}\n{% endif %}"
        "{% for n in range(3) %}{{ n + 1 }}.{% endfor %}\n"
        "{{ other|default('nothing') }} {{ words|join(', ') }} {{ words|length }} "
        "{{ 'a' + 'b' }} {{ table['key']|upper }}"
    )
    shown = template.render({"text": " x ", "words": ["a", "b"], "table": {"key": "value"}})
    assert shown == "Given:  x \n1.2.3.nothing a, b 2 ab VALUE"


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "{% for x in y %}", "{{", "{#", "\x00", "[[end x]]", "{% raw %}", "你好 {{"]
)
def test_row_text_is_data_and_never_a_template(text: str) -> None:
    assert PromptTemplate("<{{ text }}>").render({"text": text}) == f"<{text}>"
