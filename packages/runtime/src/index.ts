export { abortable, whenAborted, withTimeout } from "./abort.ts";
export { Backoff, defaultBackoff, retry } from "./backoff.ts";
export type { BackoffPolicy, RetryOptions } from "./backoff.ts";
export { BurstTimer } from "./burst-timer.ts";
export type { BurstTimerOptions } from "./burst-timer.ts";
export { certificateFor, presentCertificate, wantedCertificateHint } from "./client-certificate.ts";
export type { ClientCertificate } from "./client-certificate.ts";
export { systemClock } from "./clock.ts";
export { hasControllingTerminal } from "./controlling-terminal.ts";
export type { Clock } from "./clock.ts";
export { webClock } from "./web-clock.ts";
export { countText } from "./count-text.ts";
export { durationMs, durationText } from "./duration.ts";
export { errorText } from "./error-text.ts";
export { findFreePort } from "./free-port.ts";
export { withDeadline } from "./with-deadline.ts";
export { silentLogger } from "./logger.ts";
export type { Logger, LogFields } from "./logger.ts";
export { Mailbox } from "./mailbox.ts";
export type { OfferResult } from "./mailbox.ts";
export { httpModule } from "./http-module.ts";
export { proxyAgent } from "./proxy-agent.ts";
export { printableJson, printableLine, printableText } from "./printable-text.ts";
export { parseProcStat, parseProcStatus, ticksPerSecond } from "./proc.ts";
export type { ProcStat } from "./proc.ts";
export { readBounded } from "./read-bounded.ts";
export { Scope } from "./scope.ts";
export type { Task } from "./scope.ts";
export { settlesWithin } from "./settles-within.ts";
export { spread } from "./spread.ts";
export {
  trustSystemAuthorities,
  untrustedAuthorityHint,
  withSystemAuthorities,
} from "./system-authorities.ts";
export { systemErrorCode } from "./system-error.ts";
export { TokenBucket, TokenBuckets } from "./token-bucket.ts";
export type { BudgetRate } from "./token-bucket.ts";
export { LoopTurn } from "./loop-turn.ts";
export { Turnstile } from "./turnstile.ts";
export { strangers, UnfinishedBytes } from "./unfinished-bytes.ts";
export type { UnfinishedExcess, UnfinishedShare } from "./unfinished-bytes.ts";
export { Wake } from "./wake.ts";
