// The events of tacit's rooms on a stock socket.io server: in memory, without accounts, without a store.
// Prints its port; ends with its standard input.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { maxHttpBufferSize: 1e6 });
let lastId = 0;
let lastUser = 0;

io.on("connection", (socket) => {
  const user = ++lastUser;
  socket.on("join_room", ({ room_id }, ack) => {
    socket.join(String(room_id));
    ack?.({ room_id, joined: true });
  });
  socket.on("send_message", (said, ack) => {
    const { room_id, encrypted_content, iv = null, message_hash = null, client_id = null } = said;
    const id = ++lastId;
    const created_at = new Date().toISOString();
    ack?.({ id, room_id, created_at, client_id });
    io.to(String(room_id)).emit("new_message", {
      id, room_id, user_id: user, username: `bench-${user}`, encrypted_content, iv, message_hash,
      client_id, created_at, expires_at: null,
    });
  });
});

http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => console.log(http.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
