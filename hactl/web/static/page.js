"use strict";
// What the terminal's script does not do: it finds the server itself, says why a session ended, and begins a new one.

const Plain = window.WebSocket;

window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given);
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
