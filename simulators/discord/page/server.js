/** Talking to the simulator: requests over HTTP, news over one websocket that comes back by itself. */

import { adopt, messagesOf, state, tell, upsert } from "./state.js";
import { setClock } from "./time.js";

const RETRY_FIRST_MS = 400;
const RETRY_MAX_MS = 5000;
let socket = null;
let attempts = 0;
let timer = 0;

/** Sends `body` and returns the answer; an Error with the server's sentence when it refuses or cannot be reached. */
export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ as: state.me, channel: state.channel, ...body }),
  }).catch(() => null);
  if (answer === null) throw new Error("The simulator cannot be reached.");
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.error ?? `The simulator answered ${answer.status}.`);
  return content;
}

/** (Re)connects as the member who speaks now; the first thing that arrives is the whole state as that member sees it. */
export function connect() {
  clearTimeout(timer);
  const address = new URL("api/live", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (state.me) address.searchParams.set("as", state.me);
  const previous = socket;
  const mine = new WebSocket(address);
  socket = mine;
  previous?.close();
  mine.addEventListener("message", (event) => mine === socket && receive(JSON.parse(event.data)));
  mine.addEventListener("close", () => mine === socket && retry());
}

function retry() {
  if (state.isLive) {
    state.isLive = false;
    tell("link");
  }
  timer = setTimeout(connect, Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** attempts++));
}

function receive(news) {
  switch (news.type) {
    case "state":
      attempts = 0;
      state.isLive = true;
      state.me = news.me;
      setClock(news.clock);
      adopt(news);
      tell("state");
      return tell("link");
    case "message":
      return tell("message", { message: news.message, before: upsert(news.message) });
    case "gone":
      messagesOf(news.channel_id).delete(news.id);
      return tell("gone", news);
    case "commands":
      state.commands = news.commands;
      return tell("commands");
    case "clock":
      setClock(news.clock);
      return tell("clock");
  }
}
