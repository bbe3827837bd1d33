/**
 * Build the page into ``dist/``, beside the package that `build.js` builds: `node build_page.js`.
 *
 * The page's modules become one file, which imports ``emopy.js``. The service worker gets a checksum
 * of every file.
 */

import { createHash } from "node:crypto";
import { cp, readFile, readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PAGE = join(HERE, "page");
const DIST = join(HERE, "dist");
const PACKAGE = join(HERE, "..", "src", "emopy");
const STYLES = ["tokens.css", "faces.css"];
const COPIED = ["index.html", "page.css", "icon.svg", "manifest.webmanifest"];
const NOT_KEPT = /\.map$|^licenses\/|^service_worker\.js$|^npm\//;

/** @type {import("esbuild").BuildOptions} */
const OPTIONS = {
  outdir: DIST,
  bundle: true,
  target: "es2023",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
};

/** The package is a file of its own, because it finds its worker and models beside itself. */
const packageFile = {
  name: "package",
  setup(/** @type {import("esbuild").PluginBuild} */ building) {
    const file = { path: "./emopy.js", external: true };
    building.onResolve({ filter: /\/src\/index\.js$/ }, () => file);
  },
};

/** SHA-256 of each file of the page, by its path. */
async function checksums() {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  /** @type {Record<string, string>} */
  const found = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
      .slice(DIST.length + 1)
      .split(sep)
      .join("/");
    if (!entry.isFile() || NOT_KEPT.test(path)) continue;
    const content = await readFile(join(DIST, path));
    found[path] = createHash("sha256").update(content).digest("hex");
  }
  return found;
}

await build({
  ...OPTIONS,
  entryPoints: { main: join(PAGE, "main.js") },
  format: "esm",
  plugins: [packageFile],
});
for (const name of COPIED) await cp(join(PAGE, name), join(DIST, name));
for (const name of STYLES) await cp(join(PACKAGE, "live", "present", name), join(DIST, name));
const images = join(PACKAGE, "samples", "images");
for (const name of await readdir(images)) {
  if (name.endsWith(".png")) await cp(join(images, name), join(DIST, "samples", name));
}
await build({
  ...OPTIONS,
  entryPoints: [join(PAGE, "service_worker.js")],
  format: "iife",
  define: { FILE_CHECKSUMS: JSON.stringify(await checksums()) },
});
