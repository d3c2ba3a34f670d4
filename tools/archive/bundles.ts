/** Returns a package that is one ES module, in one file. */
export function bundleModule(root: string, name: string): Promise<Buffer> {
  return bundleText(root, `export * from ${JSON.stringify(name)};`);
}

/** Returns an ES module of the clone with what it imports, in one file. */
export function bundleFile(root: string, path: string): Promise<Buffer> {
  return bundleText(root, `import ${JSON.stringify(`./${path}`)};`);
}

async function bundleText(root: string, contents: string): Promise<Buffer> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild wrote nothing for ${contents}`);
  return Buffer.from(file.contents);
}
