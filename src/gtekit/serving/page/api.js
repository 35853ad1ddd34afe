// Calls of the server's public API. The key lives in this tab alone: sessionStorage goes with it.

const KEY = "gtekit-key";

export const base = new URL("..", import.meta.url); // also right behind a proxy that adds a prefix

export const access = {
  get key() { return sessionStorage.getItem(KEY) ?? ""; },
  set key(value) { value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY); },
  model: null, // the name that was chosen; null: the server's first
  severalModels: false,
};

export class ApiError extends Error {
  constructor(status, message, requestId) {
    super(message);
    this.status = status;
    this.requestId = requestId;
  }
}

export async function ask(path, { body, signal, as = "json" } = {}) {
  const headers = {};
  if (access.key) headers.authorization = `Bearer ${access.key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const options = { method: body === undefined ? "GET" : "POST", headers, signal, cache: "no-store" };
  if (body !== undefined) options.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(new URL(path, base), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, `The server can't be reached: ${error.message}.`, null);
  }
  const text = await answer.text();
  if (!answer.ok) throw new ApiError(answer.status, said(text, answer), answer.headers.get("x-request-id"));
  return { value: as === "json" ? JSON.parse(text) : text, headers: answer.headers };
}

// Each dialect has its own place for the message.
function said(text, answer) {
  try {
    const body = JSON.parse(text);
    const message = body.error?.message ?? body.error ?? body.message ?? body.detail;
    if (typeof message === "string") return message;
  } catch { /* not JSON: a proxy's page, perhaps */ }
  return text.trim().slice(0, 500) || answer.statusText || "no message";
}

export async function info(signal) {
  const path = access.model ? `info?model=${encodeURIComponent(access.model)}` : "info";
  return (await ask(path, { signal })).value;
}

export async function embed(texts, signal) {
  const body = { model: access.model, input: texts, encoding_format: "base64", on_truncation: "cut" };
  const { value } = await ask("v1/embeddings", { body, signal });
  return {
    vectors: value.data.map((row) => floats(row.embedding)),
    tokens: value.usage.total_tokens,
    truncated: value.data.filter((row) => row.truncated).map((row) => row.index),
  };
}

function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
