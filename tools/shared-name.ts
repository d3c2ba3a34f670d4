/** The start of a module that runs on demand: esbuild makes it the only method of an object, and names it like its file. */
const wrappedModule = /(?<=\b(?:__commonJS|__esm)\(\{\s*(?:async )?)"[^"]+"(?=\()/g;

/**
 * Gives these methods of a bundle one name. V8 remembers at most 1,536 first properties for literals of the same size. With
 * one for each of 1,300 modules, no room is left, and an object that begins with another property, such as a message,
 * gets several kilobytes of hidden classes for itself alone.
 */
export function shareName(bundle: string): string {
  return bundle.replaceAll(wrappedModule, "run");
}
