import type { ReactNode } from "react";

import { Badge } from "../../ui/status.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { tagTexts } from "./tag-lines.ts";

/** Tags as badges; long ones are cut off where a tooltip can show all of them. */
export function TagBadges({
  tags: { scope: _scope, owner: _owner, ...tags },
}: {
  readonly tags: Readonly<Record<string, string>>;
}): ReactNode {
  const texts = tagTexts(tags);
  if (texts.length === 0) return <span className="text-ink-soft">None: gets no jobs</span>;
  return (
    <div className="flex flex-wrap gap-1">
      {texts.map((text) => (
        <Badge key={text} title={untrusted(text)}>
          <span className="sm:max-w-52 sm:truncate">
            <UntrustedText>{text}</UntrustedText>
          </span>
        </Badge>
      ))}
    </div>
  );
}
