import type { Plugin } from "vite";

/** A node of a syntax tree; positions are those of the text. */
interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface Replacement extends Pick<SyntaxNode, "start" | "end"> {
  readonly text: string;
}

/** The properties of a route that a client needs at run time; the others are for types and for the server. */
const keptProperties: ReadonlySet<unknown> = new Set(["method", "path"]);
/** The functions that make schemas. */
const schemaMakers: ReadonlySet<unknown> = new Set(["Type", "oneOf", "nullable"]);
const contract = /\/packages\/api\/src\/.*\.ts$/;

/**
 * Takes the schemas out of the contract: pages trust answers to follow it, and need its schemas only as types. Routes
 * keep their method and path, and a constant that is a schema becomes undefined.
 */
export function plainRoutes(): Plugin {
  return {
    name: "plain routes",
    enforce: "post",
    transform(code, id) {
      if (!contract.test(id)) return undefined;
      const replacements = replacementsIn(this.parse(code), code);
      let text = code;
      for (const { start, end, text: plain } of replacements.toReversed()) {
        text = `${text.slice(0, start)}${plain}${text.slice(end)}`;
      }
      return { code: text, map: null };
    },
  };
}

/** Returns the replacements below a node, in the order of the text; none lies within another. */
function replacementsIn(node: SyntaxNode, code: string): Replacement[] {
  const input = node.type === "CallExpression" ? routeInput(node) : undefined;
  if (input !== undefined) {
    const kept = nodesAt(input, "properties").filter((property) =>
      keptProperties.has(nameAt(property, "key")),
    );
    const texts = kept.map(({ start, end }) => code.slice(start, end));
    return [{ ...position(input), text: `{${texts.join(",")}}` }];
  }
  if (node.type === "VariableDeclarator") {
    const [value] = nodesAt(node, "init");
    if (value !== undefined && isSchema(value)) return [{ ...position(value), text: "undefined" }];
  }
  const children = Object.keys(node).flatMap((key) => nodesAt(node, key));
  return children.flatMap((child) => replacementsIn(child, code));
}

function position({ start, end }: SyntaxNode): Pick<SyntaxNode, "start" | "end"> {
  return { start, end };
}

/** Returns the argument of a call of `defineRoute`. */
function routeInput(call: SyntaxNode): SyntaxNode | undefined {
  return nameAt(call, "callee") === "defineRoute" ? nodesAt(call, "arguments")[0] : undefined;
}

/** Returns whether an expression calls one of the functions that make schemas. */
function isSchema(node: SyntaxNode): boolean {
  if (node.type !== "CallExpression") return false;
  const [callee] = nodesAt(node, "callee");
  if (callee === undefined) return false;
  return schemaMakers.has(nameAt(node, "callee")) || schemaMakers.has(nameAt(callee, "object"));
}

function nameAt(node: SyntaxNode, key: string): unknown {
  const [found] = nodesAt(node, key);
  return found === undefined ? undefined : Reflect.get(found, "name");
}

/** Returns the node or nodes at a key of another. */
function nodesAt(node: SyntaxNode, key: string): readonly SyntaxNode[] {
  const value: unknown = Reflect.get(node, key);
  return (Array.isArray(value) ? value : [value]).filter(isNode);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
