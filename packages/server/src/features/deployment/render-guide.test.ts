import { describe, expect, it } from "vitest";

import { renderGuide } from "./render-guide.ts";

const render = (markdown: string): string =>
  renderGuide(markdown, (file) => (file === "other.md" ? "/docs/other" : undefined)).html;

describe("renderGuide", () => {
  it("runs and loads nothing: raw HTML is text, and links lead to pages only", () => {
    const html = render(
      "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> [a](javascript:alert(1)) " +
        "[b](data:text/html,x) ![c](https://evil.example/c.png) `<b>`",
    );
    expect(html).not.toMatch(/<(?!\/?(?:p|code)\b)/);
    expect(html).not.toContain("href");
    expect(html).toContain("&lt;script&gt;");
  });

  it("leads to other guides and their sections, and shows links to other files as text", () => {
    expect(render("[a](other.md#one) [b](../LICENSE)")).toBe(
      '<p><a href="/docs/other#one">a</a> b</p>\n',
    );
  });

  it("escapes the addresses of links", () => {
    expect(render('[a](<https://example.com/"onclick=x>)')).not.toContain('"onclick');
  });

  it("gives headings the anchors of GitHub, and the guide the title of its first", () => {
    const { title, html } = renderGuide(
      "# `slipway` A/B: it's\n\n## Same\n\n## Same\n",
      () => undefined,
    );
    expect(title).toBe("slipway A/B: it's");
    expect([...html.matchAll(/id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
      "slipway-ab-its",
      "same",
      "same-1",
    ]);
  });
});
