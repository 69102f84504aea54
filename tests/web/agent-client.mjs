// Programs as people write them with fetch, against `tacit agent --no-token`: node agent-client.mjs
// URL. TAP. Nothing but what Node.js brings.
const base = process.argv[2];
let number = 0;
let failed = 0;

function check(name, ok, detail) {
  number += 1;
  if (!ok) failed += 1;
  console.log(`${ok ? "ok" : "not ok"} ${number} - ${name}`);
  if (!ok) console.log(`# ${JSON.stringify(detail)}`);
}

function post(path, body, headers = {}) {
  return fetch(`${base}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function enter(username) {
  const account = { username, password: "correct horse 7!" };
  const made = await post("/api/register", account);
  check(`${username} registers`, made.status === 201, await made.json());
  const login = await post("/api/login", account);
  const cookie = login.headers.get("set-cookie").split(";")[0];
  check(`${username} logs in`, login.ok, await login.json());
  return { cookie };
}

async function messages() {
  const ann = await enter("ann");
  const ben = await enter("ben");
  const sent = await post("/api/messages", { recipient: "ben", message: "hello" }, ann);
  check("a message is sent", sent.status === 201, await sent.json());
  const inbox = await fetch(`${base}/api/messages`, { headers: ben });
  const got = (await inbox.json()).messages;
  check("and arrives", got.length === 1 && got[0].sender === "ann" && got[0].content === "hello", got);
  const users = await (await fetch(`${base}/api/users`, { headers: ann })).json();
  check("users are listed", users.users.some((u) => u.username === "ben"), users);
  const out = await post("/api/logout", {}, ann);
  check("ann logs out", out.ok, await out.json());
  const late = await fetch(`${base}/api/users`, { headers: ann });
  check("and is out", late.status === 401, await late.json());
}

async function files() {
  const created = await (await post("/api/session/create", { password: "between us" })).json();
  const path = `/api/session/${created.session_id}`;
  const join = await post(`${path}/join`, {
    password: "between us",
    public_key: created.public_key,
    verification_code: created.verification_code,
  });
  check("a session is joined", join.status === 200, await join.json());
  const form = new FormData();
  const content = new Uint8Array(300000).map((_, i) => i % 251);
  form.append("file", new Blob([content]), "numbers.bin");
  const up = await fetch(`${base}${path}/upload`, { method: "POST", body: form });
  const file = await up.json();
  check("a file goes up", up.ok && file.size === 300000 && file.filename === "numbers.bin", file);
  const down = await fetch(`${base}${path}/download/${file.file_id}`);
  const back = new Uint8Array(await down.arrayBuffer());
  check("and comes down", back.length === 300000 && back.every((b, i) => b === content[i]), back.length);
  const closed = await post(`${path}/close`, {});
  check("the session is closed", closed.ok, await closed.json());
  const health = await (await fetch(`${base}/health`)).json();
  check("the agent is healthy", health.status === "healthy", health);
}

await messages();
await files();
console.log(`1..${number}`);
process.exit(failed === 0 ? 0 : 1);
