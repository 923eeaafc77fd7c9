"use strict";
// What the terminal's script does not do: find the server, take the keys at once, say why a session ended, begin anew.

const Plain = window.WebSocket;

window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener("open", () => document.querySelector(".xterm-helper-textarea")?.focus());
    this.addEventListener("close", (event) => {
      document.getElementById("why").textContent = event.reason || "The connection to hactl serve is lost.";
      document.getElementById("again").focus();
    });
  }
};

document.addEventListener("DOMContentLoaded", () => {
  const socket = new URL("ws", window.location.href);
  socket.protocol = socket.protocol.replace("http", "ws");
  socket.search = "";
  socket.hash = "";
  document.getElementById("terminal").dataset.sessionWebsocketUrl = socket.href;
  document.getElementById("again").addEventListener("click", () => window.location.reload());
});
