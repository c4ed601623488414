"""TLS: section 12 of the requirements. Runs only against an https URL."""

import socket
import ssl
import warnings

from registry import NotRun, check
from wire import PATIENCE_S, expect

# TLS 1.2 suites that RFC 7540, appendix A, names: without ephemeral keys, or without AEAD.
BLOCKED = "AES128-SHA:AES256-SHA:AES128-GCM-SHA256:AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"


def handshake(s, least, most, ciphers=None):
    """The version that was agreed on; None if the server refused."""
    if not s.wire.secure:
        raise NotRun("the URL is http")
    context = s.wire.context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version, context.maximum_version = least, most
    if ciphers:
        context.set_ciphers(ciphers)
    try:
        with socket.create_connection((s.wire.host, s.wire.port), timeout=PATIENCE_S) as raw, context.wrap_socket(raw, server_hostname=s.wire.host) as tls:
            return tls.version()
    except (ssl.SSLError, ConnectionResetError):
        return None


@check("T-131")
def taxii_is_served_over_https(s):
    if not s.wire.secure:
        raise NotRun("the URL is http")
    s.get("/taxii2/").is_(200)


@check("T-132")
def tls_1_2_works(s):
    expect(handshake(s, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2) == "TLSv1.2", "no handshake with TLS 1.2")


@check("T-133")
def tls_1_3_is_preferred(s):
    expect(handshake(s, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED) == "TLSv1.3", "TLS 1.3 is not agreed on")


@check("T-135")
def no_blocked_suite_of_tls_1_2_is_agreed_on(s):
    found = handshake(s, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, BLOCKED)
    expect(found is None, "a suite of RFC 7540, appendix A, was agreed on")
    expect(handshake(s, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0") is None, "TLS 1.0 or 1.1 was agreed on")
