"""Addresses of crypto wallets, by their checksums: base58check, bech32, EIP-55; without one only behind a word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from stdnum import bitcoin

from corpus_pipeline.lazy_patterns import lazily
from corpus_pipeline.stages.clean.personal_data.spans import Source, Span, Words

KIND = "wallet"

_TOKEN = lazily(r"(?<![A-Za-z0-9/+=_])(?:0x[0-9A-Fa-f]{40}|[A-Za-z0-9]{25,108})(?![A-Za-z0-9/+=_])")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_VALUE = {character: value for value, character in enumerate(_BASE58)}
_RIPPLE_VALUE = {character: value for value, character in enumerate(_RIPPLE)}
# version bytes of addresses: Bitcoin, Litecoin, Dogecoin, Dash, Tron, Zcash (transparent)
_VERSIONS = frozenset((b"\x00", b"\x05", b"\x30", b"\x32", b"\x1e", b"\x16", b"\x4c", b"\x10", b"\x41"))
_ZCASH = (b"\x1c\xb8", b"\x1c\xbd")
_BECH32 = ("bc1", "ltc1", "addr1", "cosmos1", "osmo1", "tb1")
_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_WALLET_WORDS = Words(
    "wallets?|eth|ethereum|ether|usdt|usdc|erc20|bep20|metamask|deposit|donate|donations?|tip|tips|send|sent|transfer|receive|payout"
    "|crypto|sol|solana|phantom|xmr|monero|cüzdan|кошелек|кошелёк|billetera|portefeuille|geldbörse",
    "钱包|錢包|地址|ウォレット|지갑|محفظة",
)


def find(source: Source) -> Iterator[Span]:
    """Every wallet address of a text."""
    for match in _TOKEN.finditer(source.text):
        token = match.group()
        if _is_checked(token) or (_is_likely(token) and source.before(match.start()) in _WALLET_WORDS):
            yield Span(match.start(), match.end(), KIND)


def _is_checked(token: str) -> bool:
    if token.startswith("0x"):
        return _is_eip55(token[2:])
    if token.lower().startswith(_BECH32):
        return _is_bech32(token) or bitcoin.is_valid(token)
    if len(token) in (33, 34) or 26 <= len(token) <= 35:
        return _is_base58(token) or (token[0] == "r" and _is_ripple(token))
    return False


def _is_likely(token: str) -> bool:
    """Notations without a checksum that we can verify: Ethereum in one case, Solana, Monero."""
    if token.startswith("0x"):
        return len(set(token[2:].lower())) > 6
    mixed = any(map(str.islower, token)) and any(map(str.isupper, token)) and any(map(str.isdigit, token))
    if not mixed or not all(c in _VALUE for c in token):
        return False
    return len(token) in (43, 44) or (len(token) == 95 and token[0] in "48") or (len(token) == 106 and token[0] == "4")


def _decoded(token: str, values: dict[str, int]) -> bytes | None:
    number = 0
    for character in token:
        value = values.get(character)
        if value is None:
            return None
        number = number * 58 + value
    zero = next(iter(values))
    pad = len(token) - len(token.lstrip(zero))
    return b"\0" * pad + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _has_checksum(data: bytes | None, lengths: tuple[int, ...]) -> bool:
    if data is None or len(data) not in lengths:
        return False
    return hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def _is_base58(token: str) -> bool:
    data = _decoded(token, _VALUE)
    known = data is not None and (data[:1] in _VERSIONS or data[:2] in _ZCASH)
    return known and _has_checksum(data, (25, 26))


def _is_ripple(token: str) -> bool:
    return _has_checksum(_decoded(token, _RIPPLE_VALUE), (25,))


def _is_bech32(token: str) -> bool:
    """The checksum of BIP 173 and BIP 350."""
    if token.lower() != token and token.upper() != token:
        return False
    prefix, _, rest = token.lower().rpartition("1")
    if len(rest) < 7 or any(c not in _CHARSET for c in rest):
        return False
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_CHARSET.index(c) for c in rest]
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> place & 1 else 0
    return checksum in (1, 0x2BC830A3)


def _is_eip55(digits: str) -> bool:
    """The checksum that the letters' case carries (EIP-55); one case alone carries none."""
    if digits.lower() == digits or digits.upper() == digits:
        return False
    digest = _keccak256(digits.lower().encode()).hex()
    return all(
        not character.isalpha() or character.isupper() == (int(nibble, 16) >= 8)
        for character, nibble in zip(digits, digest, strict=False)
    )


_MASK = (1 << 64) - 1
_ROTATIONS = (
    (0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61), (28, 55, 25, 21, 56), (27, 20, 39, 8, 14),
)  # fmt: skip
_ROUNDS = (
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
    0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800A, 0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
)  # fmt: skip


def _keccak256(data: bytes) -> bytes:
    """Keccak-256 of less than 136 bytes, with Keccak's own padding: hashlib's SHA3 pads in another way."""
    block = bytearray(136)
    block[: len(data)] = data
    block[len(data)] ^= 0x01
    block[-1] ^= 0x80
    state = [[0] * 5 for _ in range(5)]
    for lane in range(17):
        state[lane % 5][lane // 5] = int.from_bytes(block[8 * lane : 8 * lane + 8], "little")
    for constant in _ROUNDS:
        _permute(state)
        state[0][0] ^= constant
    return b"".join(state[lane % 5][lane // 5].to_bytes(8, "little") for lane in range(4))


def _permute(state: list[list[int]]) -> None:
    columns = [state[x][0] ^ state[x][1] ^ state[x][2] ^ state[x][3] ^ state[x][4] for x in range(5)]
    for x in range(5):
        mixed = columns[x - 1] ^ _rotated(columns[(x + 1) % 5], 1)
        for y in range(5):
            state[x][y] ^= mixed
    moved = [[0] * 5 for _ in range(5)]
    for x in range(5):
        for y in range(5):
            moved[y][(2 * x + 3 * y) % 5] = _rotated(state[x][y], _ROTATIONS[x][y])
    for x in range(5):
        for y in range(5):
            state[x][y] = moved[x][y] ^ (~moved[(x + 1) % 5][y] & moved[(x + 2) % 5][y] & _MASK)


def _rotated(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & _MASK if by else lane
