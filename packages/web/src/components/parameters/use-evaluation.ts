import type {
  DynamicParametersResponse,
  EvaluatedParameter,
} from "@slipway/api/templates/dynamic-parameters";
import { useEffect, useRef, useState } from "react";

import { type EvaluationSubject, FormConnection } from "./form-connection.ts";
import type { ParameterValues } from "./parameter-values.ts";

/** The time after a change at which the values are evaluated. */
const typingMs = 150;

/** The time after a change from which the form says that it waits for the answer. */
const calmMs = 300;

/** The time after a change from which the form offers to continue without the answer. */
const patienceMs = 5000;

/** The parameters of a version for the values of a form, as the server evaluates them. */
export interface Evaluation {
  /** Undefined until the first answer. */
  readonly parameters: readonly EvaluatedParameter[] | undefined;
  /** The problems with the template rather than with one value. */
  readonly diagnostics: DynamicParametersResponse["diagnostics"];
  /** True if the answer is for the present values. */
  readonly isCurrent: boolean;
  /** True if an answer is due for so long that the form should say so. */
  readonly isLate: boolean;
  /** True if an answer is due for so long that the form offers to continue without it. */
  readonly isOverdue: boolean;
  /** True from the loss of the connection until the next answer. */
  readonly isLost: boolean;
}

/** Evaluates the parameters of a version with these values, once they are known, and after each change. */
export function useEvaluation(
  { version, owner }: EvaluationSubject,
  values: ParameterValues | undefined,
): Evaluation {
  const key = JSON.stringify(values);
  const [answer, setAnswer] = useState<FormAnswer>();
  const [delay, setDelay] = useState<Delay>();
  const [isLost, setLost] = useState(false);
  const latest = useRef(values);
  const sender = useRef<() => void>(() => {});
  useEffect(() => {
    const form = new FormConnection({ version, owner }, () => latest.current, {
      onAnswer: (response, inputs) => {
        setLost(false);
        setAnswer((before) => ({
          key: JSON.stringify(inputs),
          response: kept(before, response),
        }));
      },
      onLost: () => setLost(true),
    });
    sender.current = () => form.send();
    return () => form.close();
  }, [version, owner]);
  useEffect(() => {
    latest.current = values;
    const timers = [
      setTimeout(() => sender.current(), typingMs),
      setTimeout(() => setDelay({ key, isOverdue: false }), calmMs),
      setTimeout(() => setDelay({ key, isOverdue: true }), patienceMs),
    ];
    return () => timers.forEach(clearTimeout);
  }, [key]);
  const isCurrent = answer !== undefined && answer.key === key;
  const isLate = !isCurrent && delay !== undefined && delay.key === key;
  return {
    parameters: answer?.response.parameters,
    diagnostics: answer?.response.diagnostics ?? [],
    isCurrent,
    isLate,
    isOverdue: isLate && delay.isOverdue,
    isLost,
  };
}

/** The wait for the answer to some values. */
interface Delay {
  readonly key: string | undefined;
  readonly isOverdue: boolean;
}

interface FormAnswer {
  readonly response: DynamicParametersResponse;
  /** The values that it answers. */
  readonly key: string;
}

/** Keeps the parameters of the answer before one that could not tell them. */
function kept(
  before: FormAnswer | undefined,
  response: DynamicParametersResponse,
): DynamicParametersResponse {
  const hasFailed = response.diagnostics.some(({ extra }) => extra.code === "evaluation_failed");
  if (!hasFailed || before === undefined) return response;
  return { ...response, parameters: before.response.parameters };
}
