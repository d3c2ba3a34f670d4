/** A lab of network namespaces: the internet, NATs, firewalls, middleboxes and bad links. */
export { answerCalls } from "./netlab/answer-calls.ts";
export { LabProgram } from "./netlab/lab-program.ts";
export { internetAddresses, openLaboratory } from "./netlab/laboratory.ts";
export type { Host, Laboratory } from "./netlab/laboratory.ts";
export type { HostPlan, Impairment, Layout, RouterPlan, UplinkPlan } from "./netlab/layout.ts";
export type { Namespace, RunOptions, RunResult } from "./netlab/namespace.ts";
export type { Router } from "./netlab/router.ts";
export type { Uplink } from "./netlab/uplink.ts";
