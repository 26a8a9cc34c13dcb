/** What the page knows, and who wants to hear of changes. The server's state is the truth; this is its last answer. */

export const state = {
  me: null, // user id of the member who speaks
  channel: null, // id of the channel that is shown
  guild: { id: "", name: "" },
  channels: new Map(), // id -> {id, name, topic, can_speak, is_direct}
  members: new Map(), // user id -> {id, name, about, is_bot, is_playable}
  roles: new Map(), // id -> {id, name, color}
  commands: [], // as Discord describes them, with `bot` = user id of their bot
  messages: new Map(), // channel id -> Map(message id -> message), oldest first
  unread: new Set(), // channel ids
  demo: {},
  isLive: false,
};

const MESSAGES_MAX = 500; // of a channel; the oldest go
const listeners = new Map();

/** Calls `listener(detail)` whenever `topic` is told. */
export function on(topic, listener) {
  listeners.set(topic, [...(listeners.get(topic) ?? []), listener]);
}

export function tell(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) listener(detail);
}

/** The messages of a channel, oldest first. */
export function messagesOf(channelId) {
  if (!state.messages.has(channelId)) state.messages.set(channelId, new Map());
  return state.messages.get(channelId);
}

/** The channels of the guild, without direct messages. */
export const guildChannels = () => [...state.channels.values()].filter((channel) => !channel.is_direct);

/** What a channel is called: "#general", "@Marquee" for direct messages. */
export const titleOf = (channel) => `${channel?.is_direct ? "@" : "#"}${channel?.name ?? ""}`;

const byId = (items) => new Map(items.map((item) => [item.id, item]));

/** Takes over a whole state, as sent at every (re)connection. */
export function adopt(whole) {
  state.guild = whole.guild;
  state.channels = byId(whole.channels);
  state.members = byId(whole.members);
  state.roles = byId(whole.roles);
  state.commands = whole.commands;
  state.demo = whole.demo;
  state.messages = new Map(Object.entries(whole.messages).map(([channel, messages]) => [channel, byId(messages)]));
  if (!state.channels.has(state.channel)) state.channel = whole.channels[0]?.id ?? null;
}

/** Puts a new or edited message in its place; returns what stood there, null for a new one. */
export function upsert(message) {
  const messages = messagesOf(message.channel_id);
  const before = messages.get(message.id) ?? null;
  messages.set(message.id, message);
  if (!before && message.channel_id !== state.channel) state.unread.add(message.channel_id);
  if (messages.size > MESSAGES_MAX) messages.delete(messages.keys().next().value);
  return before;
}
