# Answers like the part of Gitea's API that opens pull requests, and writes each call to its log as JSON.
import http.server
import json
import os

pulls = []


class Api(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def call(self, body=None):
        path = self.path.split("?")[0]
        print(json.dumps({"method": self.command, "path": path, "body": body}))
        if self.headers.get("Authorization") != "token " + os.environ["TOKEN"]:
            return self.answer(401, {"message": "token is required"})
        if path != "/api/v1/repos/company/k8s-configs/pulls":
            return self.answer(404, {"message": "not found"})
        if body is None:
            return self.answer(200, pulls)
        if any(pull["head"]["ref"] == body["head"] for pull in pulls):
            return self.answer(409, {"message": "pull request already exists for these targets"})
        address = "http://%s/company/k8s-configs/pulls/%d" % (self.headers["Host"].split(":")[0], len(pulls) + 1)
        pulls.append({"html_url": address, "head": {"ref": body["head"]}, "base": {"ref": body["base"]}})
        return self.answer(201, pulls[-1])

    def do_GET(self):
        self.call()

    def do_POST(self):
        self.call(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("", 8081), Api).serve_forever()
