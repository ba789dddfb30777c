// Puts NAME.br and NAME.gz beside each asset, the same bytes on every platform.
// With `same A B`: whether two compressed files hold the same bytes, made by whatever release of the compressor.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const [task, ...files] = process.argv.slice(2);
if (task === "same") {
  const [one, other] = files.map((file) => (file.endsWith(".br") ? brotliDecompressSync : gunzipSync)(readFileSync(file)));
  process.exit(one.equals(other) ? 0 : 1);
}

const out = process.env.CLOWN_UI_OUT ?? join(import.meta.dirname, "../../dist");
for (const name of readdirSync(out, { recursive: true })) {
  if (!/\.(html|js|css|svg)$/.test(name)) continue;
  const path = join(out, name);
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
  const gz = gzipSync(bytes, { level: 9 });
  gz[9] = 255; // the operating system that made it: unknown
  writeFileSync(`${path}.gz`, gz);
}
