from __future__ import annotations

import json

import pytest

from corpus_pipeline.model import Turn
from corpus_pipeline.stages.clean.rules.base import View
from corpus_pipeline.stages.clean.rules.personal_data import PersonalData
from corpus_pipeline_tests.clean.rules.making import fixed, one, outcome

KEY_BODY = "abcDEF0123456789ghiJKL0123456789mnoP"


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("Write to jane.doe+x@mail.acme-corp.co.uk.", "Write to [EMAIL]."),
        ("邮箱zhangsan@qq.com，谢谢", "邮箱[EMAIL]，谢谢"),
        ("Call +1 (415) 555-2671 or 415-555-2671.", "Call [PHONE] or [PHONE]."),
        ("Call (415) 555-2671!", "Call [PHONE]!"),
        ("+44 20 7946 0958", "[PHONE]"),
        ("我的手机是13812345678，座机010-62345678。", "我的手机是[PHONE]，座机[PHONE]。"),
        ("电话：+86 138 1234 5678", "电话：[PHONE]"),
        ("携帯は090-1234-5678です", "携帯は[PHONE]です"),
        ("Card 4111 1111 1111 1111, exp 12/29", "Card [CARD_NUMBER], exp 12/29"),
        ("amex 378282246310005 and 5555-5555-5555-4444", "amex [CARD_NUMBER] and [CARD_NUMBER]"),
        ("身份证11010519491231002X号", "身份证[ID_NUMBER]号"),
        ("from 203.119.25.134 at noon", "from [IP_ADDRESS] at noon"),
        ("http://203.119.25.134:8080/x", "http://[IP_ADDRESS]:8080/x"),
        ("2001:4860:4801:0053:0000:0000:0000:0a1f", "[IP_ADDRESS]"),
        ("key sk-" + KEY_BODY, "key [SECRET]"),
        ("AKIAQ7XW3P5RM2ND8KZJ", "[SECRET]"),
        ("token=ghp_" + KEY_BODY, "token=[SECRET]"),
        ("hf_" + KEY_BODY + " and AIza" + KEY_BODY[:35], "[SECRET] and [SECRET]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc=\n-----END RSA PRIVATE KEY-----\nend",
            "[SECRET]\nend",
        ),
    ],
)
def test_masks(text: str, better: str) -> None:
    assert fixed(PersonalData(), text) == better


@pytest.mark.parametrize(
    "text",
    [
        "48/2 = <<48/2=24>>24 clips, 0.2*50 = $<<0.2*50=10>>10, #### 72",
        "15000000000 and 13800000000 people; 1234567890123 ms; 9876543210",
        "4000000000000002 * 3 = 12000000000000006",
        "13812345678 + 2 = 13812345680",
        "3.14159265358979 and -13812345678.5 and 1,381,234,567",
        "ISBN 978-3-16-148410-0, ISSN 2049-3630, ISBN-10 0-306-40615-2",
        "2024-01-15 10:30:45, 15/01/2024, 20240115, 1999-2023, 2024.01.15",
        "version 10.21.33.412, v12.34.56.78, Chrome/91.0.4472.124, section 1.2.3.4",
        "192.168.100.120, 10.100.200.100, 127.0.0.1, 255.255.255.0, 8.8.8.8, 172.217.22.0/24",
        "file_20240115_103045.tar.gz IMG-20240115-0001.jpg report-2024-000123456.pdf",
        "lodash@4.17.21, @angular/core, git@github.com:me/repo.git, @app.route('/x')",
        "user@example.com, me@host.example.org, you@yourdomain.com, a@b",
        "Call 1-800-273-8255 or (555) 123-4567 or +1 888 555 1212",
        "tel:1-2-3, 12-34-56, 100-200-300, 555-1234",
        "4111 1111 1111 1112 fails the checksum; 0000 0000 0000 0000",
        "110105194912310021 has a wrong check digit",
        "sk-fading-circle-of-the-spinner-kit, sk-xxxxxxxxxxxxxxxxxxxxxxxx, AKIAIOSFODNN7EXAMPLE",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "123e4567-e89b-12d3-a456-426614174000",
        "pi = 3.1415926535 8979323846 2643383279",
        "x² + 12345678 = 87654321, 10^12345678, 50%–60%",
        "RGB(255,255,255) 40.712776, -74.005974; 23°26′13.7″",
        "人口13亿8000万，房价12345678元，订单号：2024011512345",
        "11010519491231002 1234567890 12345678",
    ],
)
def test_numbers_that_are_nobodys_stay(text: str) -> None:
    assert fixed(PersonalData(), text) == text


def test_each_kind_is_masked_kept_or_a_reason_to_drop() -> None:
    turns = one("I am jane@acme.io", "Call 415-555-2671")
    assert outcome(PersonalData(email="keep"), turns).turns == one("I am jane@acme.io", "Call [PHONE]")
    dropped = outcome(PersonalData(email="drop"), turns)
    assert dropped.drop_reason == "personal_email"
    assert outcome(PersonalData(phone="drop"), turns).drop_reason == "personal_phone"
    assert outcome(PersonalData(), turns).drop_reason is None


def test_says_what_kind_and_how_many_but_never_the_datum() -> None:
    result = outcome(PersonalData(email="drop"), one("a@acme.io b@acme.io", "fine"))
    assert [(change.field, change.count, change.detail) for change in result.changes] == [("prompt", 2, "email")]
    assert "acme" not in repr(result.changes) + result.detail


def test_reasons_cover_every_kind() -> None:
    assert set(PersonalData.reasons) == {f"personal_{kind}" for kind in PersonalData().choices()}


ARGUMENTS = '{"to": "jane@acme-corp.com",  "phone": 13812345678, "note": "call \\"me\\" at +44 20 7946 0958", "n": 3}'


def called(arguments: object) -> Turn:
    call = {"id": "call_1", "type": "function", "function": {"name": "send", "arguments": arguments}}
    return Turn(prompt="Write to Jane.", extra={"tool_calls": [call]})


def test_arguments_of_tool_calls_are_masked_and_stay_json_of_the_same_types() -> None:
    rule = PersonalData()
    (turn,) = outcome(rule, (called(ARGUMENTS),)).turns
    (call,) = (turn.extra or {})["tool_calls"]
    assert call["function"]["arguments"] == (
        '{"to": "[EMAIL]",  "phone": 0, "note": "call \\"me\\" at [PHONE]", "n": 3}'
    )
    assert (call["id"], call["function"]["name"]) == ("call_1", "send")
    assert rule.screen(View((called(ARGUMENTS),)))


def test_arguments_that_are_an_object_are_masked_and_counted() -> None:
    found = outcome(PersonalData(), (called(json.loads(ARGUMENTS)),))
    arguments = (found.turns[0].extra or {})["tool_calls"][0]["function"]["arguments"]
    assert arguments == {"to": "[EMAIL]", "phone": 0, "note": 'call "me" at [PHONE]', "n": 3}
    assert {(change.field, change.detail, change.count) for change in found.changes} == {
        ("tool_calls", "email", 1),
        ("tool_calls", "phone", 2),
    }


def test_a_key_in_a_tool_call_can_drop_the_conversation() -> None:
    found = outcome(PersonalData(secret="drop"), (called({"token": "ghp_" + KEY_BODY}),))
    assert found.drop_reason == "personal_secret"


def test_a_call_without_personal_data_stays_the_same_object() -> None:
    turns = (called('{"n": 3, "city": "Oslo"}'),)
    assert PersonalData().apply(View(turns)).turns is turns
