import { getTemplateByName } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { routeQuery } from "../../api/queries.ts";

const route = getRouteApi("/member/framed/templates/$template");

/** Returns the template in the address of the page, as far as it has been read. */
export function useTemplateQuery(): UseQueryResult<Template> {
  const { template: name } = route.useParams();
  return useQuery(routeQuery(getTemplateByName, { params: { organization: "default", name } }));
}

/** Returns the template in the address of a page below the frame, which has read it. */
export function useTemplate(): Template {
  const { data } = useTemplateQuery();
  if (data === undefined) throw new Error("the frame shows its pages only with a template");
  return data;
}
