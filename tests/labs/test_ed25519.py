"""Ed25519 in plain Python: the test vectors of RFC 8032, and signatures that must not pass."""

import pytest

from fsdl_course.labs.ed25519 import ORDER, public_key, sign, signed_by

VECTORS = [  # RFC 8032, section 7.1: secret, key, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
        "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("secret", "key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_standard(secret, key, message, signature):
    secret, message = bytes.fromhex(secret), bytes.fromhex(message)
    assert (public_key(secret), sign(secret, message)) == (key, signature)
    assert signed_by(key, signature, message)
    assert not signed_by(key, signature, message + b"0")


def test_a_signature_has_no_twin_and_no_other_spelling():
    secret, key, _, signature = VECTORS[1]
    factor = int.from_bytes(bytes.fromhex(signature[64:]), "little")
    twin = signature[:64] + (factor + ORDER).to_bytes(32, "little").hex()
    for other in (twin, signature.upper(), signature + "\n", f" {signature}", signature[:-2], "", "é" * 128):
        assert not signed_by(key, other, b"\x72")
    assert signed_by(key, sign(bytes.fromhex(secret), b"\x72"), b"\x72")


def test_bytes_that_are_no_point_are_no_key():
    _, _, _, signature = VECTORS[0]
    not_below_the_prime, no_root = "ff" * 31 + "7f", "02" + "00" * 31
    for key in (not_below_the_prime, no_root, "01" + "00" * 30 + "80", "0" * 63, "none"):
        assert not signed_by(key, signature, b"")


def test_a_secret_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes, not 5"):
        public_key(b"short")


def test_a_message_of_text_is_an_error_that_says_what_to_do():
    with pytest.raises(TypeError, match=r"the message is bytes, such as text.encode\(\), not str"):
        signed_by(VECTORS[0][1], VECTORS[0][3], "")
