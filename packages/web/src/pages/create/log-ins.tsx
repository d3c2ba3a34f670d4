import type { Infer } from "@slipway/api/contract/scalars";
import type { TemplateVersionExternalAuth } from "@slipway/api/external-auth/external-auth";
import { CircleCheck, ExternalLink } from "lucide-react";
import type { ReactNode } from "react";

import { webAddress } from "../../components/web-address.ts";
import { buttonClasses } from "../../ui/button.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";

type LogIn = Infer<typeof TemplateVersionExternalAuth>;

/** Returns the names of the providers without whose log-in a workspace cannot be created. */
export function missingLogIns(logIns: readonly LogIn[]): readonly string[] {
  return logIns
    .filter(({ authenticated, optional }) => !authenticated && optional !== true)
    .map(({ display_name: name, id }) => untrusted(name === "" ? id : name));
}

/** The accounts at other providers that a template uses. */
export function LogIns({ logIns }: { readonly logIns: readonly LogIn[] }): ReactNode {
  if (logIns.length === 0) return null;
  return (
    <section aria-label="Accounts" className="flex flex-col gap-2">
      <h3 className="text-sm font-medium">Accounts that this template uses</h3>
      <ul className="flex flex-col gap-2">
        {logIns.map((logIn) => (
          <li
            key={logIn.id}
            className="flex flex-wrap items-center justify-between gap-2 rounded-md border border-line px-3 py-2"
          >
            <span>
              <UntrustedText>
                {logIn.display_name === "" ? logIn.id : logIn.display_name}
              </UntrustedText>
              {logIn.optional === true && <span className="text-ink-faint"> (optional)</span>}
            </span>
            {logIn.authenticated ? (
              <span className="inline-flex items-center gap-1.5 text-sm text-good">
                <CircleCheck aria-hidden size={15} />
                Connected
              </span>
            ) : (
              <LogInLink logIn={logIn} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function LogInLink({ logIn }: { readonly logIn: LogIn }): ReactNode {
  const address = webAddress(logIn.authenticate_url, location.origin);
  if (address === undefined) return null;
  return (
    <a
      href={address}
      target="_blank"
      rel="noreferrer"
      className={buttonClasses("secondary", "small")}
    >
      Log in
      <ExternalLink aria-hidden size={13} />
    </a>
  );
}
