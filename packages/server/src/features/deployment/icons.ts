import type { FastifyInstance } from "fastify";

import { NotFound } from "../../platform/errors/errors.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";

/** The shapes of icons, drawn on 24 by 24: the marks of other companies are not ours to hand out. */
const shapes = {
  code: "M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16",
  container: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  git: "M7 4v12M7 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 8c0 5-10 3-10 8",
  terminal: "M4 6l6 6-6 6M12 18h8",
} as const;

const icons: Readonly<Record<string, keyof typeof shapes>> = {
  "azure-devops": "git",
  bitbucket: "git",
  code: "code",
  container: "container",
  docker: "container",
  git: "git",
  gitea: "git",
  github: "git",
  gitlab: "git",
  terminal: "terminal",
};

/** Serves the icons that templates and providers have by default, at `/icon/<name>.svg`. */
export function addIcons(app: FastifyInstance, limits: RequestLimits): void {
  app.get<{ Params: { readonly file: string } }>("/icon/:file", async (request, reply) => {
    limits.countPage("/icon/:file", request, reply);
    const name = request.params.file.replace(/\.svg$/, "");
    const shape = Object.hasOwn(icons, name) ? icons[name] : undefined;
    if (shape === undefined) throw new NotFound("Icon not found.");
    return reply
      .header("Cache-Control", "public, max-age=86400")
      .header("Content-Security-Policy", "default-src 'none'")
      .type("image/svg+xml")
      .serializer(String)
      .send(svg(shapes[shape]));
  });
}

function svg(path: string): string {
  const look = 'fill="none" stroke="#5b6b7b" stroke-width="2" stroke-linecap="round"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" ${look}><path d="${path}"/></svg>\n`;
}
