"""Forged credentials and path tricks, by name: none of them may open anything.

Each table is made from what is really in force (keys, tokens, passwords), the same way each time: what is refused is
the forgery and nothing else.
"""

import base64
import hashlib
import hmac
import json
import time

from jose import b64, part, unsigned

NOW = int(time.time())


def bearer(token):
    return b"Bearer " + (token if isinstance(token, bytes) else token.encode())


def basic(user, password, charset="utf-8"):
    pair = user.encode(charset) + b":" + (password if isinstance(password, bytes) else password.encode(charset))
    return b"Basic " + base64.b64encode(pair)


def with_hmac(name, secret, claims, header):
    text = part({"typ": "JWT", "alg": name, **header}) + "." + part(claims)
    return text + "." + b64(hmac.new(secret, text.encode(), name.lower().replace("hs", "sha")).digest())


def bearer_tokens(kind, key, token, claims, attacker, ec_attacker):
    """Forgeries of `token`, which is good: it says `claims`, signed by `key`. The attackers' keys are their own."""
    head, payload, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    kid = {"kid": key.kid}
    made = {}

    def add(name, value):
        assert f"{kind}: {name}" not in made, name
        made[f"{kind}: {name}"] = [bearer(value)]

    for alg in ("none", "None", "NONE", "nOnE", "none ", "", None, 0, False, [], ["none"], "null", "HS256 "):
        add(f"alg {alg!r} unsigned", unsigned({"typ": "JWT", "alg": alg, **kid}, claims))
        add(f"alg {alg!r} with the signature", f"{part({'typ': 'JWT', 'alg': alg, **kid})}.{payload}.{signature}")
    add("no alg", unsigned({"typ": "JWT"}, claims, raw))
    add("no header", f".{payload}.{signature}")
    secrets = {
        "PEM": key.public_pem,
        "PEM without a line end": key.public_pem.strip(),
        "DER": key.public_der,
        "JWK": json.dumps(key.jwk()).encode(),
        "kid": key.kid.encode(),
        "nothing": b"",
        "NUL": b"\0",
    }
    for alg in ("HS256", "HS384", "HS512"):
        for name, secret in secrets.items():
            add(f"{alg} by the {name}", with_hmac(alg, secret, claims, kid))
    for trick in (
        "../../../../../dev/null",
        "/dev/null",
        "/proc/self/environ",
        "file:///etc/passwd",
        "x' UNION SELECT 'key'--",
        "' OR '1'='1",
        key.kid + "\0",
        key.kid.upper(),
        key.kid[:-1],
        "https://127.0.0.1/key",
        "|id",
        "$(id)",
        "*",
        "",
        0,
        True,
        [key.kid],
        {"kid": key.kid},
        "x" * 8000,
    ):
        add(
            f"kid {str(trick)[:40]!r} of type {type(trick).__name__} by an own key",
            attacker.token(claims, {"kid": trick}),
        )
        add(
            f"kid {str(trick)[:40]!r} of type {type(trick).__name__} by HS256",
            with_hmac("HS256", b"", claims, {"kid": trick}),
        )
    for name, own in (("RSA", attacker), ("EC", ec_attacker)):
        add(f"own {name} key under the good kid", own.token(claims, kid))
        add(f"own {name} key as jwk", own.token(claims, {"jwk": own.jwk()}))
        add(f"own {name} key as jwk under the good kid", own.token(claims, {"jwk": own.jwk() | kid, **kid}))
        add(f"own {name} key by jku", own.token(claims, {"jku": "https://127.0.0.1:1/jwks"}))
        add(f"own {name} key by x5u", own.token(claims, {"x5u": "https://127.0.0.1:1/cert"}))
        add(f"own {name} key as x5c", own.token(claims, {"x5c": [base64.b64encode(own.public_der).decode()]}))
    for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "ES256K"):
        add(f"header changed to {alg}", f"{part({'typ': 'JWT', 'alg': alg, 'x': 1, **kid})}.{payload}.{signature}")
    for name, bad in {
        "missing": b"",
        "zero": bytes(len(raw)),
        "all ones": b"\xff" * len(raw),
        "short": raw[:-1],
        "long": raw + b"\0",
        "reversed": raw[::-1],
        "first bit flipped": bytes([raw[0] ^ 1]) + raw[1:],
        "last bit flipped": raw[:-1] + bytes([raw[-1] ^ 1]),
        "doubled": raw * 2,
        "halves swapped": raw[len(raw) // 2 :] + raw[: len(raw) // 2],
        "of another text": key.sign(b"another text"),
        "of the payload alone": key.sign(payload.encode()),
    }.items():
        add(f"signature {name}", f"{head}.{payload}.{b64(bad)}")
    for name, changes in {
        "another subject": {"sub": "jenkins"},
        "the admin": {"sub": "admin"},
        "longer": {"exp": NOW + 10**7},
        "every repository": {"access": [{"type": "repository", "name": "secret/app", "actions": ["*"]}]},
        "the registry": {"access": [{"type": "registry", "name": "catalog", "actions": ["*"]}]},
        "another audience": {"aud": "*"},
        "groups": {"groups": ["admins"]},
        "a robot": {"kind": "robot"},
    }.items():
        add(f"payload inflated with {name}", f"{head}.{part(claims | changes)}.{signature}")
    for name, changes in {
        "aud other": {"aud": "other"},
        "aud empty": {"aud": ""},
        "aud list": {"aud": ["other"]},
        "aud none": {"aud": []},
        "aud object": {"aud": {claims["aud"]: 1}},
        "aud case": {"aud": claims["aud"].upper()},
        "aud prefix": {"aud": claims["aud"] + ".evil.org"},
        "iss other": {"iss": "https://evil.example.org"},
        "iss slash": {"iss": claims["iss"] + "/"},
        "iss case": {"iss": claims["iss"].upper()},
        "iss list": {"iss": [claims["iss"]]},
        "expired": {"exp": NOW - 3600},
        "expired at once": {"exp": 0},
        "exp text": {"exp": str(NOW + 300)},
        "exp negative": {"exp": -1},
        "exp endless": {"exp": 1e300},
        "exp true": {"exp": True},
        "exp list": {"exp": [NOW + 300]},
        "nbf future": {"nbf": NOW + 3600},
        "nbf text": {"nbf": "0"},
        "iat text": {"iat": "now"},
        "sub list": {"sub": ["jenkins"]},
    }.items():
        add(f"signed, but {name}", key.token(claims | changes, key.header))
    for missing in ("iss", "aud", "exp"):
        add(f"signed, but without {missing}", key.token({k: v for k, v in claims.items() if k != missing}, key.header))
    for name, header in {
        "crit": {"crit": ["exp"]},
        "crit b64": {"crit": ["b64"], "b64": False},
        "crit empty": {"crit": []},
        "another typ": {"typ": "secevent+jwt"},
        "typ of a refresh token": {"typ": "berth-refresh+jwt"},
        "typ list": {"typ": ["JWT"]},
    }.items():
        add(f"signed, but with {name}", key.token(claims, {**key.header, **header}))
    for name, text in {
        "a key twice": json.dumps(claims)[:-1] + f', "exp": {NOW + 10**7}}}',
        "a BOM": "\ufeff" + json.dumps(claims),
        "a list": json.dumps([claims]),
        "text": json.dumps("claims"),
        "null": "null",
        "half of it": json.dumps(claims)[:-1],
        "more after it": json.dumps(claims) + "{}",
        "a deep nest": '{"a":' * 3000 + "1" + "}" * 3000,
        "a comment": json.dumps(claims)[:-1] + ", /**/}",
    }.items():
        add(f"signed, but the payload is {name}", key.token(text.encode(), key.header))
    for place in range(40):
        add(f"truncated at {place}/40", token[: len(token) * place // 40])
    for name, value in {
        "oversized payload": key.token(claims | {"pad": "x" * 20000}, key.header),
        "oversized head": token + "x" * 70000,
        "four parts": f"{token}.{signature}",
        "two parts": f"{head}.{payload}",
        "an empty part": f"{head}..{payload}.{signature}",
        "five parts of JWE": f"{head}.{payload}.{signature}.{payload}.{signature}",
        "padding": f"{token}=",
        "padded parts": f"{head}=.{payload}.{signature}",
        "a comma": f"{token},x",
        "two tokens": f"{token} {token}",
        "a space inside": f"{head} .{payload}.{signature}",
        "a tab inside": f"{head}\t.{payload}.{signature}",
        "quotes": f'"{token}"',
        "a percent sign": f"{token}%20",
        "standard Base64": f"{head}.{payload}.{base64.b64encode(b'?' * len(raw)).decode()}",
        "lower case": token.lower(),
        "upper case": token.upper(),
    }.items():
        add(name, value)
    add("a no-break space", token.encode() + b"\xc2\xa0")
    add("a byte above 127", token.encode() + b"\xff")
    forged = attacker.token(claims, kid)
    made[f"{kind}: two Authorization fields, forged first"] = [bearer(forged), bearer(token)]
    made[f"{kind}: two Authorization fields, forged last"] = [bearer(token), bearer(forged)]
    made[f"{kind}: two good Authorization fields"] = [bearer(token), bearer(token)]
    for scheme in ("Token", "JWT", "Bearer:", "Bearer,", "Bearerx", "Digest", "Negotiate", "OAuth", ""):
        made[f"{kind}: scheme {scheme!r}"] = [f"{scheme} {token}".encode()]
    made[f"{kind}: no space after the scheme"] = [b"Bearer" + token.encode()]
    return made


def passwords(users, hashes):
    """Wrong ways to say the right thing, for users {name: password} and their {name: hash}."""
    made = {}
    for user, password in users.items():
        for name, wrong in {
            "empty": "",
            "case": password.swapcase(),
            "space behind": password + " ",
            "space before": " " + password,
            "NUL behind": password + "\0",
            "NUL and more": password + "\0x",
            "line end": password + "\n",
            "shorter": password[:-1],
            "longer": password + "x",
            "doubled": password * 2,
            "the hash": hashes[user],
            "the name": user,
            "star": "*",
            "long": "x" * 20000,
            "very long": "x" * 60000,
            "right and long": password + "x" * 20000,
            "quoted": f"'{password}'",
            "escaped": password.replace(":", "%3A") + "%00",
            "the user again": f"{user}:{password}",
            "SQL": "' OR '1'='1",
            "MD5": hashlib.md5(password.encode()).hexdigest(),
        }.items():
            made[f"password of {user}: {name}"] = [basic(user, wrong)]
        for name, wrong in {
            "upper case": user.upper(),
            "capital": user.capitalize(),
            "space behind": user + " ",
            "space before": " " + user,
            "NUL behind": user + "\0",
            "NUL and another": user + "\0admin",
            "line end": user + "\n",
            "return": user + "\r",
            "tab": user + "\t",
            "full width": "".join(chr(ord(c) + 0xFEE0) for c in user),
            "Cyrillic": user.replace("e", "\u0435").replace("a", "\u0430"),
            "combining": user + "\u0301",
            "zero width": user + "\u200b",
            "percent": "%" + user.encode().hex()[:2] + user[1:],
            "empty": "",
            "star": "*",
            "prefix star": user[:2] + "*",
            "filter": "*)(uid=*",
            "filter closed": f"{user})(|(uid=*",
            "filter escape": "\\2a",
            "filter NUL": f"{user}\\00",
            "comma": f"{user},dc=example",
            "domain": f"{user}@example.org",
            "backslash": f"EXAMPLE\\{user}",
            "slash": f"{user}/../admin",
            "hash sign": f"#{user}",
            "plus": f"{user}+admin",
            "another": "admin",
            "robot": f"robot${user}",
        }.items():
            made[f"name of {user}: {name}"] = [basic(wrong, password)]
        good = basic(user, password)
        encoded = good.split()[1]
        for name, field in {
            "no colon": b"Basic " + base64.b64encode(user.encode()),
            "only a colon": b"Basic Og==",
            "nothing": b"Basic",
            "a space": b"Basic ",
            "bad Base64": b"Basic !!!!",
            "Base64 cut": good[:-3],
            "Base64 and more": good + b"x",
            "Base64 with a dash": good[:-4] + b"-_-_",
            "Base64 in two": b"Basic " + encoded[:4] + b" " + encoded[4:],
            "hex": b"Basic " + f"{user}:{password}".encode().hex().encode(),
            "in the clear": f"Basic {user}:{password}".encode(),
            "UTF-16": basic(user, password, "utf-16"),
            "UTF-32": basic(user, password, "utf-32"),
            "with a BOM": basic("\ufeff" + user, password),
            "EBCDIC": basic(user, password, "cp500"),
            "as a bearer": b"Bearer " + encoded,
            "password as a bearer": b"Bearer " + password.encode(),
            "scheme Basicx": b"Basicx " + encoded,
            "scheme Digest": b"Digest " + encoded,
            "quoted": b'Basic "' + encoded + b'"',
            "encoded twice": b"Basic " + base64.b64encode(encoded),
            "bytes above 127": basic("\xff\xfe", b"\xff\x00\xfe"),
        }.items():
            made[f"form of {user}: {name}"] = [field]
        made[f"form of {user}: two fields, wrong first"] = [basic(user, "x"), good]
        made[f"form of {user}: two fields, wrong last"] = [good, basic(user, "x")]
    return made


def access_tokens(tokens, dead):
    """`tokens`: {holder: secret} that are good; `dead`: {why: (holder, secret)}."""
    made = {}

    def add(name, holder, secret):
        made[f"access token as a password: {name}"] = [basic(holder, secret)]
        made[f"access token as a bearer: {name}"] = [bearer(secret)]

    for holder, secret in tokens.items():
        for cut in range(0, len(secret), 6):
            add(f"{holder}'s first {cut} characters", holder, secret[:cut])
        for at in range(0, len(secret), 6):
            other = "A" if secret[at] != "A" else "B"
            add(f"{holder}'s, character {at} changed", holder, secret[:at] + other + secret[at + 1 :])
        for name, changed in {
            "upper case": secret.upper(),
            "lower case": secret.lower() if secret.lower() != secret else secret.swapcase(),
            "longer": secret + "x",
            "without its beginning": secret[4:],
            "doubled": secret * 2,
            "reversed": secret[::-1],
            "padded": secret + "=",
        }.items():
            add(f"{holder}'s, {name}", holder, changed)
        made[f"access token of {holder} under a user's name"] = [basic("jenkins", secret)]
        made[f"access token of {holder} under nobody's name"] = [basic("nobody", secret)]
        made[f"access token of {holder}, NUL behind"] = [basic(holder, secret + "\0")]
    for why, (holder, secret) in dead.items():
        add(why, holder, secret)
    return made


METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")


def paths(host, repository, digest):
    """Ways to a manifest and a blob that a router, a proxy or a policy may understand differently."""
    team, app = repository.split("/")
    end = "/manifests/1.0"
    blob = f"/v2/{repository}/blobs/{digest}"
    made = {
        "plain": f"/v2/{repository}{end}",
        "the blob": blob,
        "an upload": f"/v2/{repository}/blobs/uploads/",
        "the tags": f"/v2/{repository}/tags/list",
        "its referrers": f"/v2/{repository}/referrers/{digest}",
        "by digest": f"/v2/{repository}/manifests/{digest}",
        "encoded slash": f"/v2/{team}%2F{app}{end}",
        "encoded slash, lower": f"/v2/{team}%2f{app}{end}",
        "encoded first slash": f"/v2/%2F{repository}{end}",
        "encoded v2": f"/%76%32/{repository}{end}",
        "encoded letter": f"/v2/{team}/%{ord(app[0]):02x}{app[1:]}{end}",
        "encoded twice": f"/v2/{team}%252F{app}{end}",
        "encoded word": f"/v2/{repository}/%6Danifests/1.0",
        "encoded tag": f"/v2/{repository}/manifests/1%2E0",
        "encoded digest": f"/v2/{repository}/blobs/{digest.replace(':', '%3A')}",
        "dots out of a team": f"/v2/open/../{repository}{end}",
        "dots behind": f"/v2/{repository}/x/..{end}",
        "encoded dots": f"/v2/open/%2e%2e/{repository}{end}",
        "half encoded dots": f"/v2/open/.%2e/{repository}{end}",
        "dots and encoded slash": f"/v2/open/..%2F{repository}{end}",
        "backslashes": f"/v2/open\\..\\{repository}{end}",
        "encoded backslash": f"/v2/open%5C..%5C{repository}{end}",
        "one dot": f"/v2/./{repository}{end}",
        "one encoded dot": f"/v2/%2e/{repository}{end}",
        "dots to the top": f"/v2/../v2/{repository}{end}",
        "dots above the top": f"/../../v2/{repository}{end}",
        "dots from healthz": f"/healthz/../v2/{repository}{end}",
        "dots with a parameter": f"/v2/open/..;/{repository}{end}",
        "two slashes": f"/v2//{repository}{end}",
        "two slashes first": f"//v2/{repository}{end}",
        "two slashes inside": f"/v2/{team}//{app}{end}",
        "two slashes behind": f"/v2/{repository}//manifests/1.0",
        "a slash at the end": f"/v2/{repository}{end}/",
        "upper case": f"/v2/{repository.upper()}{end}",
        "upper case v2": f"/V2/{repository}{end}",
        "upper case word": f"/v2/{repository}/MANIFESTS/1.0",
        "full width": f"/v2/{team}\uff0f{app}{end}",
        "full width letters": "/v2/" + "".join(chr(ord(c) + 0xFEE0) for c in team) + f"/{app}{end}",
        "Cyrillic": f"/v2/{team.replace('e', chr(0x435))}/{app}{end}",
        "division slash": f"/v2/{team}\u2215{app}{end}",
        "one dot leader": f"/v2/open/\u2024\u2024/{repository}{end}",
        "a parameter": f"/v2/{repository};x=1{end}",
        "a parameter at the end": f"/v2/{repository}{end};.png",
        "a parameter on v2": f"/v2;x/{repository}{end}",
        "a trailing dot": f"/v2/{repository}.{end}",
        "a dot behind the tag": f"/v2/{repository}{end}.",
        "a trailing space": f"/v2/{repository}%20{end}",
        "a tab": f"/v2/{repository}%09{end}",
        "a NUL": f"/v2/{repository}%00{end}",
        "a NUL at the end": f"/v2/{repository}{end}%00",
        "a NUL and an open name": f"/v2/{repository}%00/open/app{end}",
        "a line end": f"/v2/{repository}%0d%0a{end}",
        "a broken escape": f"/v2/{repository}%{end}",
        "a broken escape of two": f"/v2/{repository}%zz{end}",
        "an escape cut": f"/v2/{repository}{end}%2",
        "a fragment": f"/v2/{repository}{end}#/open",
        "an encoded question mark": f"/v2/{repository}{end}%3fopen",
        "a query of a name": f"/v2/{repository}{end}?name=open/app",
        "an at sign": f"/v2/open@{repository}{end}",
        "a star": f"/v2/{team}/*{end}",
        "a long way": "/v2/" + "open/../" * 300 + f"{repository}{end}",
        "absolute form": f"https://{host}/v2/{repository}{end}",
        "absolute form, plain": f"http://{host}/v2/{repository}{end}",
        "absolute form of another host": f"http://open.example.org/v2/{repository}{end}",
        "absolute form with a user": f"https://jenkins@{host}/v2/{repository}{end}",
        "no slash": f"v2/{repository}{end}",
        "an authority": host,
        "uploads of another": f"/v2/{repository}/blobs/uploads/../../manifests/1.0",
        "a mount": f"/v2/open/app/blobs/uploads/../../../{repository}/blobs/{digest}",
        "version 1": f"/v1/repositories/{repository}/tags",
        "the admin": "/v2/_berth/tokens",
        "the admin, encoded": "/v2/%5Fberth/tokens",
        "the catalog, dots": f"/v2/_catalog/../{repository}{end}",
        "a long name": "/v2/" + "a/" * 4000 + f"{repository}{end}",
    }
    targets = {name: target.encode() for name, target in made.items()}
    for name, dots in {
        "overlong dot": b"%c0%ae%c0%ae",
        "overlong raw dot": b"\xc0\xae\xc0\xae",
        "invalid UTF-8": b"\xff\xfe",
        "UTF-7": b"+AC4ALg-",
    }.items():
        targets[name] = b"/v2/open/" + dots + f"/{repository}{end}".encode()
    for name, slash in {
        "overlong slash": b"%c0%af",
        "overlong raw slash": b"\xc0\xaf",
        "overlong slash of three": b"%e0%80%af",
        "raw NUL": b"\0",
    }.items():
        targets[name] = f"/v2/{team}".encode() + slash + f"{app}{end}".encode()
    return targets
