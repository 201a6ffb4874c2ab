/** How one client is pointed to the server. `{KEY}` and `{URL}` stand for the unified key and the base URL. */
export interface Client {
  id: string;
  title: string;
  /** Where the text goes. */
  hint: string;
  text: string;
}

/** What stands for the key until it is copied. */
export const SHOWN_KEY = "<your freellm key>";

/** The clients, in the order in which they are offered. */
export const CLIENTS: readonly Client[] = [
  {
    id: "shell",
    title: "Shell",
    hint: "OpenAI's libraries and most tools read these two variables",
    text: 'export OPENAI_BASE_URL="{URL}"\nexport OPENAI_API_KEY="{KEY}"',
  },
  {
    id: "curl",
    title: "curl",
    hint: "A first request",
    text: `curl {URL}/chat/completions \\
  -H "Authorization: Bearer {KEY}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'`,
  },
  {
    id: "python",
    title: "Python",
    hint: "pip install openai",
    text: `from openai import OpenAI

client = OpenAI(base_url="{URL}", api_key="{KEY}")
answer = client.chat.completions.create(
    model="auto",
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`,
  },
  {
    id: "javascript",
    title: "JavaScript",
    hint: "npm install openai",
    text: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "{URL}", apiKey: "{KEY}" });
const answer = await client.chat.completions.create({
  model: "auto",
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);`,
  },
  {
    id: "aider",
    title: "Aider",
    hint: "In the shell of your repository",
    text: `export OPENAI_API_BASE="{URL}"
export OPENAI_API_KEY="{KEY}"
aider --model openai/auto`,
  },
  {
    id: "opencode",
    title: "OpenCode",
    hint: "opencode.json in your project, or ~/.config/opencode/opencode.json",
    text: `{
  "$schema": "https://opencode.ai/config.json",
  "model": "freellm/auto",
  "provider": {
    "freellm": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "freellm",
      "options": { "baseURL": "{URL}", "apiKey": "{KEY}" },
      "models": { "auto": { "name": "auto" } }
    }
  }
}`,
  },
  {
    id: "continue",
    title: "Continue",
    hint: "~/.continue/config.yaml",
    text: `name: freellm
version: 0.0.1
schema: v1
models:
  - name: freellm
    provider: openai
    model: auto
    apiBase: "{URL}"
    apiKey: "{KEY}"
    roles: [chat, edit, apply]`,
  },
  {
    id: "cline",
    title: "Cline, Roo Code",
    hint: "Settings, API provider “OpenAI Compatible”",
    text: "Base URL: {URL}\nAPI key:  {KEY}\nModel ID: auto",
  },
  {
    id: "zed",
    title: "Zed",
    hint: "settings.json; Zed asks for the key in its agent settings",
    text: `{
  "language_models": {
    "openai_compatible": {
      "freellm": {
        "api_url": "{URL}",
        "available_models": [{ "name": "auto", "display_name": "freellm", "max_tokens": 128000 }]
      }
    }
  }
}`,
  },
];

/** A client's text with the base URL and a key in place. */
export function filled(client: Client, url: string, key: string): string {
  return client.text.replaceAll("{URL}", () => url).replaceAll("{KEY}", () => key);
}
