// Puts a `.br` and a `.gz` next to every file of a folder that gets smaller by it, so that the server never compresses.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
const compressible = new Set([".css", ".html", ".js", ".json", ".svg", ".txt"]);

for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !compressible.has(extname(entry.name))) continue;
  const path = join(entry.parentPath, entry.name);
  const content = readFileSync(path);
  const compressed = {
    br: brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
    gz: gzipSync(content, { level: 9 }),
  };
  for (const [suffix, bytes] of Object.entries(compressed)) {
    if (bytes.length < content.length) writeFileSync(`${path}.${suffix}`, bytes);
  }
}
