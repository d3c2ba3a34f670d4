export { abortable, whenAborted, withTimeout } from "./abort.ts";
export { Backoff, defaultBackoff, retry, spread } from "./backoff.ts";
export type { BackoffPolicy, RetryOptions } from "./backoff.ts";
export { BurstTimer } from "./burst-timer.ts";
export type { BurstTimerOptions } from "./burst-timer.ts";
export { certificateFor, presentCertificate, wantedCertificateHint } from "./client-certificate.ts";
export type { ClientCertificate } from "./client-certificate.ts";
export { systemClock, webClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { hasControllingTerminal } from "./controlling-terminal.ts";
export { countText } from "./count-text.ts";
export { settlesWithin, withDeadline } from "./deadline.ts";
export { durationMs, durationText } from "./duration.ts";
export { CodedError, errorText, systemErrorCode } from "./errors.ts";
export { findFreePort } from "./free-port.ts";
export { httpModule, proxyAgent } from "./http-module.ts";
export {
  listOf,
  numberOf,
  objectOf,
  parseObject,
  textMapOf,
  textOf,
  textsOf,
} from "./json-fields.ts";
export type { JsonObject } from "./json-fields.ts";
export { silentLogger } from "./logger.ts";
export type { LogFields, Logger } from "./logger.ts";
export { LoopTurn } from "./loop-turn.ts";
export { Mailbox } from "./mailbox.ts";
export type { OfferResult } from "./mailbox.ts";
export { printableJson, printableLine, printableText } from "./printable-text.ts";
export { parseProcStat, parseProcStatus, ticksPerSecond } from "./proc.ts";
export type { ProcStat } from "./proc.ts";
export { readBounded } from "./read-bounded.ts";
export { Rotation } from "./rotation.ts";
export { Scope } from "./scope.ts";
export type { Task } from "./scope.ts";
export {
  trustSystemAuthorities,
  untrustedAuthorityHint,
  withSystemAuthorities,
} from "./system-authorities.ts";
export { shellWord } from "./shell-word.ts";
export { TokenBucket, TokenBuckets } from "./token-bucket.ts";
export type { BudgetRate } from "./token-bucket.ts";
export { Turnstile } from "./turnstile.ts";
export { strangers, UnfinishedBytes } from "./unfinished-bytes.ts";
export type { UnfinishedExcess, UnfinishedShare } from "./unfinished-bytes.ts";
export { Wake } from "./wake.ts";
export { Waiters } from "./waiters.ts";
