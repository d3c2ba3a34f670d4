import { type JsonObject, listOf, objectOf, textOf, textsOf } from "@slipway/runtime";

/**
 * The references between the parts of a configuration, as a plan shows them: what each resource names in its arguments and
 * provisioners, followed through inputs, outputs and keys of modules. References through locals are not shown, and end at the
 * address of the local: `local.zones`.
 */
export class References {
  readonly #modules = new Map<string, ConfigModule>();
  readonly #direct = new Map<string, readonly string[]>();

  constructor(plan: JsonObject) {
    const root = objectOf(objectOf(plan["configuration"])["root_module"]);
    this.#addModule("", { module: root }, undefined);
    for (const [path, module] of this.#modules) {
      for (const one of listOf(module.content["resources"])) this.#addResource(path, objectOf(one));
    }
  }

  /** The configuration addresses of the resources that have references. */
  get addresses(): readonly string[] {
    return [...this.#direct.keys()];
  }

  /** Returns the addresses that a resource refers to in any argument. */
  of(address: string): readonly string[] {
    return this.#direct.get(address) ?? [];
  }

  /** Returns the addresses that one argument of a resource refers to. */
  ofArgument(address: string, argument: string): readonly string[] {
    const { path, resource } = this.#find(address);
    const expression = this.expressionOf(address, argument);
    return this.#resolveAll(path, referencesIn(expression), resource["for_each_expression"]);
  }

  /** Returns the addresses that decide how many instances of a resource, and of the modules around it, there are. */
  ofCount(address: string): readonly string[] {
    const { path, resource } = this.#find(address);
    const expressions = [resource["count_expression"], resource["for_each_expression"]];
    const own = this.#resolveAll(path, referencesIn(expressions));
    return [...new Set([...own, ...this.#ofInstances(path)])];
  }

  #ofInstances(path: string): readonly string[] {
    const module = this.#modules.get(path);
    if (module?.parent === undefined) return [];
    const own = this.#resolveAll(module.parent, referencesIn([module.count, module.forEach]));
    return [...own, ...this.#ofInstances(module.parent)];
  }

  /** Returns the expression of an argument, or of blocks; undefined without one, and for dynamic blocks. */
  expressionOf(address: string, argument: string): unknown {
    return objectOf(this.#find(address).resource["expressions"])[argument];
  }

  #find(address: string): { readonly path: string; readonly resource: JsonObject } {
    const [path, name] = splitAddress(address);
    const resources = listOf(this.#modules.get(path)?.content["resources"]).map(objectOf);
    return { path, resource: objectOf(resources.find((one) => textOf(one["address"]) === name)) };
  }

  #addModule(path: string, call: JsonObject, parent: string | undefined): void {
    const content = objectOf(call["module"]);
    const inputs = objectOf(call["expressions"]);
    this.#modules.set(path, {
      content,
      parent,
      inputs,
      count: call["count_expression"],
      forEach: call["for_each_expression"],
    });
    for (const [name, child] of Object.entries(objectOf(content["module_calls"]))) {
      this.#addModule(`${path}module.${name}.`, objectOf(child), path);
    }
  }

  #addResource(path: string, resource: JsonObject): void {
    const address = `${path}${textOf(resource["address"])}`;
    const named = [
      ...referencesIn([resource["expressions"], resource["provisioners"]]),
      ...textsOf(resource["depends_on"]),
    ];
    this.#direct.set(address, this.#resolveAll(path, named, resource["for_each_expression"]));
  }

  /** Resolves references of a block in a module; those by `each` are what the block's `for_each` refers to. */
  #resolveAll(path: string, references: readonly string[], forEach?: unknown): readonly string[] {
    const keyed = references.some((one) => one.split(".")[0] === "each");
    const all = keyed ? [...references, ...referencesIn(forEach)] : references;
    return [...new Set(all.flatMap((one) => this.#resolve(path, one)))];
  }

  #resolve(path: string, reference: string): readonly string[] {
    const module = this.#modules.get(path);
    const words = reference.replaceAll(/\[[^\]]*\]/g, "").split(".");
    const [first = "", second = "", third = ""] = words;
    if (module === undefined || ["each", "count", "path", "terraform", "self"].includes(first))
      return [];
    if (first === "var") {
      if (module.parent === undefined) return [];
      return this.#resolveAll(module.parent, referencesIn(module.inputs[second]), module.forEach);
    }
    if (first === "module") {
      const child = `${path}module.${second}.`;
      const outputs = objectOf(this.#modules.get(child)?.content["outputs"]);
      return this.#resolveAll(child, referencesIn(objectOf(outputs[third])["expression"]));
    }
    if (first === "data") return [`${path}data.${second}.${third}`];
    return second === "" ? [] : [`${path}${first}.${second}`];
  }
}

interface ConfigModule {
  readonly content: JsonObject;
  /** The path of the module that calls it; undefined for the root. */
  readonly parent: string | undefined;
  readonly inputs: JsonObject;
  /** The expressions of the number and the keys of its instances; undefined for a module with one. */
  readonly count: unknown;
  readonly forEach: unknown;
}

/** Returns the path of a module, with a dot at its end, and the address within it. */
function splitAddress(address: string): readonly [string, string] {
  const path = /^(?:module\.[^.]+\.)*/.exec(address)?.[0] ?? "";
  return [path, address.slice(path.length)];
}

/** Collects the references of an expression, or of nested blocks of expressions. */
function referencesIn(expression: unknown): readonly string[] {
  if (Array.isArray(expression)) return expression.flatMap(referencesIn);
  return Object.entries(objectOf(expression)).flatMap(([key, value]) =>
    key === "references" ? textsOf(value) : referencesIn(value),
  );
}
