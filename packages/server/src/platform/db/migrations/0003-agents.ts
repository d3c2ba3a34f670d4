import { type Kysely, sql } from "kysely";

/**
 * An agent's log past its limit keeps its first and its newest half; users get a key for git; columns used by the
 * cleanup are indexed. The function that stores logs changes its parameters: older replicas can no longer store logs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...logs, ...gitKeys, ...cleanup]) await sql.raw(statement).execute(db);
}

/**
 * A log is a head and, once the head is full, a tail, whose oldest lines are dropped as new ones arrive:
 *
 *   1 … head_last_id | what is not kept | tail_first_id … last_id
 *
 * `head_last_id` and `tail_first_id` are null until the head is full. `logs_length` counts head and tail. A line counts
 * as its stored bytes, and as at least 4, so that empty ones are bounded too.
 */
const logs = [
  `alter table workspace_agent_log_positions
    add column head_last_id bigint,
    add column tail_first_id bigint,
    add column tail_length bigint not null default 0`,
  `update workspace_agent_log_positions set head_last_id = last_id, tail_first_id = last_id + 1
    where overflowed or logs_length > 524288`,
  // A foreign key costs as much per line as storing it. Lines belong to an agent with a position, and are deleted with
  // it.
  `alter table workspace_agent_logs drop constraint workspace_agent_logs_workspace_agent_id_fkey`,
  `create function delete_agent_logs() returns trigger language plpgsql as $$
  begin
    delete from workspace_agent_logs where workspace_agent_id = old.workspace_agent_id;
    return null;
  end $$`,
  `create trigger delete_logs after delete on workspace_agent_log_positions
    for each row execute function delete_agent_logs()`,
  `drop function append_agent_logs(uuid, uuid, bigint[], text[], text[], integer[], bigint, bigint, integer)`,
  `create function append_agent_logs(
    agent uuid, source uuid, times bigint[], levels text[], outputs text[],
    max_half bigint, step bigint, max_sources integer
  ) returns table (stored integer, is_first_loss boolean)
  language plpgsql as $$
  declare
    pos workspace_agent_log_positions;
    known jsonb;
    known_lines integer;
    lines integer := cardinality(times);
    skip integer := 0;
    added bigint;
    head_lines integer := 0;
    head_added bigint := 0;
    lost integer := 0;
    oldest record;
  begin
    select * into strict pos from workspace_agent_log_positions p
      where p.workspace_agent_id = agent for update;
    known := pos.batches -> source::text;
    known_lines := (known ->> 'lines')::integer;
    if times[1] <> 0 and times[1] = (known ->> 'first')::bigint
        and known_lines <= lines and times[known_lines] = (known ->> 'last')::bigint then
      skip := known_lines;
      if skip = lines then
        return query select 0, false;
        return;
      end if;
      levels := levels[skip + 1:];
      outputs := outputs[skip + 1:];
    end if;
    select coalesce(sum(greatest(octet_length(output), 4)), 0) into added from unnest(outputs) as output;

    if pos.head_last_id is null then
      if pos.logs_length + added <= max_half then
        head_lines := lines - skip;
        head_added := added;
      else
        select count(*), coalesce(max(total), 0) into head_lines, head_added from (
          select sum(greatest(octet_length(line.output), 4)) over (order by line.number) as total
            from unnest(outputs) with ordinality as line (output, number)) as totals
          where pos.logs_length + total <= max_half;
        pos.head_last_id := pos.last_id + head_lines;
        pos.tail_first_id := pos.head_last_id + 1;
      end if;
    end if;
    added := added - head_added;
    if added > max_half then
      -- The batch alone fills the tail: nothing of the old one stays, and of the batch its end.
      select count(*) into lost from (
        select sum(greatest(octet_length(line.output), 4)) over (order by line.number desc) as total
          from unnest(outputs[head_lines + 1:]) with ordinality as line (output, number)) as totals
        where total > max_half;
      select sum(greatest(octet_length(output), 4)) into added
        from unnest(outputs[head_lines + lost + 1:]) as output;
      delete from workspace_agent_logs l where l.workspace_agent_id = agent and l.id >= pos.tail_first_id;
      pos.tail_first_id := pos.last_id + head_lines + lost + 1;
      pos.logs_length := pos.logs_length - pos.tail_length;
      pos.tail_length := 0;
    end if;
    insert into workspace_agent_logs (workspace_agent_id, id, log_source_id, level, output, created_at)
      select agent, pos.last_id + line.number, source, line.level, line.output, now()
      from unnest(levels, outputs) with ordinality as line (level, output, number)
      where line.number <= head_lines or line.number > head_lines + lost;
    pos.last_id := pos.last_id + lines - skip;
    pos.logs_length := pos.logs_length + head_added + added;
    pos.tail_length := pos.tail_length + added;

    if pos.tail_length > max_half then
      -- Makes room in steps, so that not every batch deletes; a step reads no more than it deletes.
      for oldest in
        select l.id, greatest(octet_length(l.output), 4) as weight from workspace_agent_logs l
          where l.workspace_agent_id = agent and l.id >= pos.tail_first_id order by l.id
      loop
        exit when pos.tail_length <= max_half - step;
        pos.tail_length := pos.tail_length - oldest.weight;
        pos.logs_length := pos.logs_length - oldest.weight;
        lost := oldest.id + 1 - pos.tail_first_id;
      end loop;
      delete from workspace_agent_logs l where l.workspace_agent_id = agent
        and l.id >= pos.tail_first_id and l.id < pos.tail_first_id + lost;
      pos.tail_first_id := pos.tail_first_id + lost;
    end if;
    update workspace_agent_log_positions p set
      last_id = pos.last_id,
      logs_length = pos.logs_length,
      overflowed = pos.overflowed or lost > 0,
      head_last_id = pos.head_last_id,
      tail_first_id = pos.tail_first_id,
      tail_length = pos.tail_length,
      batches = case
        when known is null and (select count(*) from jsonb_object_keys(pos.batches)) >= max_sources
          then pos.batches
        else pos.batches || jsonb_build_object(source::text, jsonb_build_object(
          'first', times[1], 'last', times[lines], 'lines', lines)) end
      where p.workspace_agent_id = agent;
    return query select lines - skip, lost > 0 and not pos.overflowed;
  end $$`,
];

/** One key per user, created on first use. */
const gitKeys = [
  `create table git_ssh_keys (
    user_id uuid primary key references users (id) on delete cascade,
    public_key text not null,
    private_key_encrypted bytea not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
];

const cleanup = [
  `alter table workspace_agents add column history_removed_at timestamptz`,
  `create index workspace_agents_history on workspace_agents (created_at)
    where history_removed_at is null`,
  `create index jobs_file on jobs (file_id)`,
  `create index template_versions_file on template_versions (file_id)`,
  `create index api_keys_expiry on api_keys (expires_at)`,
];
