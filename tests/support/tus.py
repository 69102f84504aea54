"""tus 1.0.0 as its users see it."""
from support import tap
from support.client import b64


def tus(person, method, target, body=None, version="1.0.0", **headers):
    all_headers = {k.replace("_", "-"): str(v) for k, v in headers.items()}
    if version:
        all_headers["Tus-Resumable"] = version
    if method == "PATCH" or (method == "POST" and body is not None):
        all_headers.setdefault("Content-Type", "application/offset+octet-stream")
    if target.startswith("http"):
        target = "/" + target.split("/", 3)[3]
    answer = person.call(method, target, None if body is None else bytes(body), headers=all_headers)
    if method != "OPTIONS" and version == "1.0.0":
        tap.equal(answer.headers.get("tus-resumable"), "1.0.0", f"{answer!r}: Tus-Resumable")
    return answer


def tus_create(person, length, body=None, conversation=None, **headers):
    if conversation:
        headers["Upload_Metadata"] = f"conversation_id {b64(str(conversation).encode())}"
    if length is not None:
        headers["Upload_Length"] = length
    return tus(person, "POST", "/api/files/tus", body, **headers)


def patch(person, place, offset, body, **headers):
    return tus(person, "PATCH", place, body, Upload_Offset=offset, **headers)


def file_id(place):
    return place.rstrip("/").split("/")[-1]
