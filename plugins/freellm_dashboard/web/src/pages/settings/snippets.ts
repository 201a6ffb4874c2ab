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

/**
 * The clients, in the order in which they are offered.
 *
 * Agents that know nothing of a model ask for up to 32,000 tokens of answer, and many free tiers count what is asked for:
 * with 8,192 they stay open. With a context they sum up a conversation before it is too long for most models.
 */
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
aider --model openai/auto --edit-format diff --no-show-model-warnings`,
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
      "models": { "auto": { "name": "auto", "limit": { "context": 128000, "output": 8192 } } }
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
    roles: [chat, edit, apply]
    capabilities: [tool_use, image_input]
    defaultCompletionOptions:
      contextLength: 128000`,
  },
  {
    id: "cline",
    title: "Cline, Roo Code",
    hint: "Settings, API provider “OpenAI Compatible”; the last line is for Cline in the shell",
    text: `Base URL: {URL}
API key:  {KEY}
Model ID: auto

cline auth -p openai -b "{URL}" -k "{KEY}" -m auto`,
  },
  {
    id: "qwen",
    title: "Qwen Code",
    hint: "In the shell of your project",
    text: `export OPENAI_BASE_URL="{URL}"
export OPENAI_API_KEY="{KEY}"
export OPENAI_MODEL=auto
export QWEN_CODE_MAX_OUTPUT_TOKENS=8192
qwen`,
  },
  {
    id: "pi",
    title: "Pi",
    hint: "~/.pi/agent/models.json, then pi --model freellm/auto",
    text: `{
  "providers": {
    "freellm": {
      "baseUrl": "{URL}",
      "api": "openai-completions",
      "apiKey": "{KEY}",
      "models": [{ "id": "auto", "contextWindow": 128000, "maxTokens": 8192 }]
    }
  }
}`,
  },
  {
    id: "vibe",
    title: "Mistral Vibe",
    hint: "Two files",
    text: `# ~/.vibe/.env
FREELLM_API_KEY="{KEY}"

# ~/.vibe/config.toml
active_model = "auto"

[[providers]]
name = "freellm"
api_base = "{URL}"
api_key_env_var = "FREELLM_API_KEY"

[[models]]
name = "auto"
provider = "freellm"`,
  },
  {
    id: "llm",
    title: "llm",
    hint: "In the shell",
    text: `llm keys set freellm --value "{KEY}"
cat >> "$(dirname "$(llm logs path)")/extra-openai-models.yaml" <<END
- model_id: freellm
  model_name: auto
  api_base: "{URL}"
  api_key_name: freellm
  supports_tools: true
  supports_schema: true
  vision: true
END
llm -m freellm "Hello"`,
  },
  {
    id: "zed",
    title: "Zed",
    hint: "settings.json; Zed takes the key in its agent settings or as FREELLM_API_KEY",
    text: `{
  "language_models": {
    "openai_compatible": {
      "freellm": {
        "api_url": "{URL}",
        "available_models": [{ "name": "auto", "display_name": "freellm", "max_tokens": 128000, "max_output_tokens": 8192 }]
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
