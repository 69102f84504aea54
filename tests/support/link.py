"""One kept connection, for tests in which the server may vanish at any byte."""
import http.client
import json

# RemoteDisconnected, IncompleteRead and BadStatusLine are HTTPExceptions.
LOST = (OSError, http.client.HTTPException)


class Link:
    def __init__(self, server, token=None, timeout=20):
        self.server, self.token, self.timeout = server, token, timeout
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def call(self, method, target, body=None, headers=None):
        """(status, headers, body), all of them whole; raises one of LOST when no answer came."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port,
                                                         timeout=self.timeout)
        given = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        try:
            self.connection.request(method, target, body, given)
            answer = self.connection.getresponse()
            whole = answer.read()
        except LOST:
            self.close()
            raise
        if answer.will_close:
            self.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, whole
