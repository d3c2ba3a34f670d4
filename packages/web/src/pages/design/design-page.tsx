import { Inbox, Play, Plus, Settings, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { Button, IconButton } from "../../ui/button.tsx";
import { Chip, ChipSelect } from "../../ui/chip.tsx";
import { CheckGroup, RadioGroup, TagInput } from "../../ui/choices.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Checkbox, Field, Select, TextArea, TextInput } from "../../ui/field.tsx";
import { EmptyState, Facts, PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Menu } from "../../ui/menu.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Badge, Status, type Tone } from "../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../ui/table.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";

const tones: readonly Tone[] = ["neutral", "good", "warn", "bad", "active"];
const colors = [
  "bg-canvas",
  "bg-surface",
  "bg-raised",
  "bg-sunken",
  "bg-hover",
  "bg-line",
  "bg-line-strong",
  "bg-accent",
  "bg-accent-soft",
  "bg-good",
  "bg-good-soft",
  "bg-warn",
  "bg-warn-soft",
  "bg-bad",
  "bg-bad-soft",
] as const;

/** Shows every part of the design system in its states. */
export function DesignPage(): ReactNode {
  return (
    <>
      <PageHeader
        title="Design system"
        actions={
          <Button look="primary" icon={<Plus aria-hidden size={16} />}>
            Primary action
          </Button>
        }
      >
        The parts that the pages of this dashboard are made of, in their states.
      </PageHeader>
      <Tabs label="Design" tabs={[{ label: "Everything", link: { to: "/design" } }]} />
      <Colors />
      <Texts />
      <Buttons />
      <Forms />
      <Choices />
      <Messages />
      <Data />
    </>
  );
}

function Colors(): ReactNode {
  return (
    <Panel title="Colors">
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(8rem,1fr))] gap-3">
        {colors.map((name) => (
          <li key={name} className="text-xs text-ink-soft">
            <div className={`mb-1 h-10 rounded-md border border-line ${name}`} />
            {name.slice("bg-".length)}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Texts(): ReactNode {
  return (
    <Panel title="Text">
      <div className="flex flex-col gap-2">
        <p className="text-2xl font-semibold">24 px, figures of a page: 1,024</p>
        <p className="text-xl font-semibold">20 px, the title of a page</p>
        <p className="text-lg font-semibold">16 px, the title of a dialog</p>
        <p>14 px, text</p>
        <p className="text-sm text-ink-soft">13 px, tables and what explains something</p>
        <p className="text-xs text-ink-faint">12 px, labels</p>
        <p className="font-mono text-sm">slipway ssh demo</p>
      </div>
    </Panel>
  );
}

function Buttons(): ReactNode {
  const [isAsking, setAsking] = useState(false);
  const toaster = useToaster();
  return (
    <Panel title="Actions">
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary">Primary</Button>
        <Button icon={<Play aria-hidden size={14} />}>Secondary</Button>
        <Button look="ghost">Ghost</Button>
        <Button look="danger" onClick={() => setAsking(true)}>
          Delete…
        </Button>
        <Button isBusy>Saving</Button>
        <Button disabledReason="The workspace is already running">Start</Button>
        <Button size="small" onClick={() => toaster.show("Saved.")}>
          Small
        </Button>
        <IconButton label="Settings" icon={<Settings aria-hidden size={16} />} />
        <Menu
          trigger={<Button>Menu</Button>}
          entries={() => [
            { label: "Start", icon: <Play size={15} />, onSelect: () => toaster.show("Started.") },
            { label: "Stop", disabledReason: "It is not running", onSelect: () => {} },
            {
              label: "Delete",
              icon: <Trash2 size={15} />,
              isDangerous: true,
              startsGroup: true,
              onSelect: () => setAsking(true),
            },
          ]}
        />
      </div>
      {isAsking && (
        <ConfirmDialog
          title="Delete demo?"
          action="Delete workspace"
          isDangerous
          onConfirm={async () => {
            throw new Error("Nothing was deleted: this is a picture of a failure.");
          }}
          onClose={() => setAsking(false)}
        >
          <p>Its files are lost. Its history stays in the audit log.</p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function Forms(): ReactNode {
  const [isChecked, setChecked] = useState(true);
  return (
    <Panel title="Forms">
      <div className="grid max-w-2xl gap-5 sm:grid-cols-2">
        <Field label="Name" isRequired hint="Lower-case letters, digits and hyphens.">
          {(ids) => <TextInput {...ids} defaultValue="demo" />}
        </Field>
        <Field label="Name" isRequired error="must be unique: you already have a workspace demo">
          {(ids) => <TextInput {...ids} defaultValue="demo" />}
        </Field>
        <Field label="Region">
          {(ids) => (
            <Select {...ids}>
              <option>Frankfurt</option>
              <option>Virginia</option>
            </Select>
          )}
        </Field>
        <Field label="Script">
          {(ids) => <TextArea {...ids} rows={2} defaultValue="make test" />}
        </Field>
        <Checkbox
          label="Keep it running"
          hint="Until you stop it yourself."
          isChecked={isChecked}
          onChecked={setChecked}
        />
      </div>
      <div className="mt-5 flex flex-col gap-5">
        <Segments
          label="View"
          segments={[
            { label: "All", isCurrent: true, link: { to: "/design" } },
            { label: "Unread", isCurrent: false, link: { to: "/design" } },
          ]}
        />
      </div>
    </Panel>
  );
}

const regions = [
  { value: "eu", label: "Frankfurt", hint: "Close to most of us" },
  { value: "us", label: "Virginia" },
];

function Choices(): ReactNode {
  const [isMine, setMine] = useState(true);
  const [status, setStatus] = useState("");
  const [region, setRegion] = useState("eu");
  const [several, setSeveral] = useState<readonly string[]>(["us"]);
  return (
    <Panel title="Choices">
      <div className="flex max-w-2xl flex-col gap-5">
        <div className="flex flex-wrap gap-2">
          <Chip isOn={isMine} onToggle={setMine}>
            Mine
          </Chip>
          <ChipSelect
            label="Status"
            value={status}
            choices={[["running", "Running"]]}
            onValue={setStatus}
          />
        </div>
        <RadioGroup
          label="Region"
          isRequired
          choices={regions}
          value={region}
          onValue={setRegion}
        />
        <CheckGroup label="Regions" choices={regions} values={several} onValues={setSeveral} />
        <TagInput label="Hosts" values={several} onValues={setSeveral} />
      </div>
    </Panel>
  );
}

function Messages(): ReactNode {
  return (
    <Panel title="Messages">
      <div className="flex flex-col gap-3">
        <Notice tone="info" title="A new version of the template is available." />
        <Notice tone="good" title="The workspace is ready." />
        <Notice tone="warn" title="The workspace stops in 10 minutes.">
          Nobody has used it since noon.
        </Notice>
        <Notice tone="bad" title="The build failed." action={<Button>Try again</Button>}>
          The image demo:latest does not exist.
        </Notice>
        <EmptyState
          icon={<Inbox size={28} />}
          title="No workspaces yet"
          action={<Button look="primary">New workspace</Button>}
        >
          A workspace is a machine for your work, made from a template.
        </EmptyState>
      </div>
    </Panel>
  );
}

function Data(): ReactNode {
  const [opened] = useState(() => new Date().toISOString());
  return (
    <>
      <Panel title="Table" isFlush>
        <Table label="States">
          <HeaderRow>
            <HeaderCell>Tone</HeaderCell>
            <HeaderCell>Status</HeaderCell>
            <HeaderCell>Badge</HeaderCell>
            <HeaderCell>Loading</HeaderCell>
          </HeaderRow>
          <tbody>
            {tones.map((tone) => (
              <Row key={tone}>
                <Cell>{tone}</Cell>
                <Cell>
                  <Status tone={tone}>{tone}</Status>
                </Cell>
                <Cell>
                  <Badge tone={tone}>{tone}</Badge>
                </Cell>
                <Cell>
                  <Skeleton className="h-4 w-24" />
                </Cell>
              </Row>
            ))}
          </tbody>
        </Table>
      </Panel>
      <Panel title="Facts">
        <Facts
          facts={[
            ["Opened", <Time key="opened" time={opened} />],
            ["Command", <CodeLine key="command">slipway ssh demo</CodeLine>],
          ]}
        />
      </Panel>
    </>
  );
}
