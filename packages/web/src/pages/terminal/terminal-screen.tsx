import "@fontsource-variable/jetbrains-mono/wght.css";
import "@xterm/xterm/css/xterm.css";
import type { OpenTerminalLink } from "@slipway/sdk/terminal";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";

import { useIsDark } from "../../components/shell/theme.ts";
import { Button } from "../../ui/button.tsx";
import { errorText } from "../../ui/error-text.ts";
import { Notice } from "../../ui/notice.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { fontFamilies, useFont } from "./font-settings.ts";
import { KeyBar } from "./key-bar.tsx";
import { SearchBar } from "./search-bar.tsx";
import { type SessionState, type TerminalProgram, TerminalSession } from "./terminal-session.ts";
import { terminalTheme } from "./terminal-theme.ts";

const scrollback = 10_000;

interface TerminalScreenProps {
  readonly agentId: string;
  readonly terminalId: string;
  readonly program: TerminalProgram;
  readonly openLink: OpenTerminalLink;
  /** True for the terminal that is looked at; the others keep running. */
  readonly isShown: boolean;
  readonly isSearching: boolean;
  readonly onSearchEnd: () => void;
  readonly onTitle: (title: string) => void;
  /** Asks to open the address of a link. */
  readonly onLink: (url: string) => void;
  readonly onNewTerminal: () => void;
  /** Moves the focus out of the terminal, which takes the Tab key. */
  readonly onLeave: () => void;
}

/** The keys that leave a terminal, as people read them; programs get no other keys in their place. */
export const leaveKeys = "Ctrl+Shift+L";

interface Opened {
  readonly screen: Terminal;
  readonly fit: FitAddon;
  readonly search: SearchAddon;
  readonly session: TerminalSession;
}

/** One terminal with its screen. */
export function TerminalScreen(props: TerminalScreenProps): ReactNode {
  const { agentId, terminalId, program, openLink, isShown, isSearching } = props;
  const place = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<Opened>();
  const [state, setState] = useState<SessionState>({ kind: "connecting" });
  const isDark = useIsDark();
  const font = useFont();
  const options = {
    fontFamily: fontFamilies[font.family] ?? "monospace",
    fontSize: font.size,
    theme: terminalTheme(isDark),
  };
  const create = useEffectEvent(() => createScreen(options, props.onLink));
  const tellTitle = useEffectEvent(props.onTitle);
  const leave = useEffectEvent(props.onLeave);

  useEffect(() => {
    if (place.current === null) return undefined;
    const parts = create();
    const { screen, fit } = parts;
    screen.open(place.current);
    void drawByGpu(screen);
    fit.fit();
    screen.textarea?.setAttribute("aria-keyshortcuts", "Control+Shift+L");
    screen.textarea?.setAttribute("aria-describedby", "terminal-keys");
    screen.attachCustomKeyEventHandler((event) => {
      if (!event.ctrlKey || !event.shiftKey || event.code !== "KeyL") return true;
      event.preventDefault();
      if (event.type === "keydown") leave();
      return false;
    });
    screen.onTitleChange((title) => tellTitle(title));
    const session = new TerminalSession(screen, {
      agentId,
      terminalId,
      program,
      openLink,
      onState: setState,
    });
    const observer = new ResizeObserver(() => fit.fit());
    observer.observe(place.current);
    const reconnect = (): void => session.reconnect();
    globalThis.addEventListener("online", reconnect);
    setOpened({ ...parts, session });
    return () => {
      globalThis.removeEventListener("online", reconnect);
      observer.disconnect();
      session.close();
      screen.dispose();
    };
  }, [agentId, terminalId, program, openLink]);

  const { fontFamily, fontSize, theme } = options;
  useEffect(() => {
    if (opened === undefined) return;
    Object.assign(opened.screen.options, { fontFamily, fontSize, theme });
    opened.fit.fit();
  }, [opened, fontFamily, fontSize, theme]);

  useEffect(() => {
    if (isShown) opened?.screen.focus();
  }, [opened, isShown]);

  return (
    <div className={`min-h-0 flex-1 flex-col ${isShown ? "flex" : "hidden"}`}>
      <SessionNotice
        state={state}
        onReconnect={() => opened?.session.reconnect()}
        onNewTerminal={props.onNewTerminal}
      />
      {isSearching && opened !== undefined && (
        <SearchBar
          search={opened.search}
          onClose={() => {
            opened.search.clearDecorations();
            opened.screen.focus();
            props.onSearchEnd();
          }}
        />
      )}
      {/* The rows and columns that fit are those of the inner box, its padding included. */}
      <div className="min-h-0 flex-1 p-2">
        <div ref={place} className="h-full overflow-hidden" />
      </div>
      <KeyBar
        onKey={(text) => {
          opened?.session.type(text);
          opened?.screen.focus();
        }}
      />
    </div>
  );
}

function createScreen(
  options: Pick<Opened["screen"]["options"], "fontFamily" | "fontSize" | "theme">,
  onLink: (url: string) => void,
): Omit<Opened, "session"> {
  const screen = new Terminal({
    ...options,
    scrollback,
    cursorBlink: false,
    screenReaderMode: false,
    allowProposedApi: true,
    // Text of a program that names another address than it shows.
    linkHandler: { activate: (_event, url) => onLink(url), allowNonHttpProtocols: false },
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  screen.loadAddon(fit);
  screen.loadAddon(search);
  screen.loadAddon(new WebLinksAddon((_event, url) => onLink(url)));
  return { screen, fit, search };
}

/** Draws by the graphics card, where the browser lets it. */
async function drawByGpu(screen: Terminal): Promise<void> {
  try {
    const { WebglAddon } = await import("@xterm/addon-webgl");
    const addon = new WebglAddon();
    addon.onContextLoss(() => addon.dispose());
    screen.loadAddon(addon);
  } catch {
    // Without it, xterm draws elements of the page.
  }
}

function SessionNotice({
  state,
  onReconnect,
  onNewTerminal,
}: {
  readonly state: SessionState;
  readonly onReconnect: () => void;
  readonly onNewTerminal: () => void;
}): ReactNode {
  switch (state.kind) {
    case "connecting":
    case "connected":
      return null;
    case "lost":
      return (
        <div className="p-2">
          <Notice
            tone="warn"
            title={
              state.wasConnected ? "The connection was lost." : "The terminal cannot be reached."
            }
            action={<Button onClick={onReconnect}>Reconnect</Button>}
          >
            Trying again; what you type is kept. Reason: {untrusted(state.reason)}.
          </Notice>
        </div>
      );
    case "ended":
      return (
        <div className="p-2">
          <Notice
            tone="info"
            title="The program has ended."
            action={<Button onClick={onNewTerminal}>New terminal</Button>}
          />
        </div>
      );
    case "failed":
      return (
        <div className="p-2">
          <Notice
            tone="bad"
            title={errorText(state.error)}
            action={<Button onClick={onNewTerminal}>New terminal</Button>}
          />
        </div>
      );
  }
}
