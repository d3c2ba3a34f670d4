import { getFile } from "@slipway/api/files/routes";
import { getTemplateVersion } from "@slipway/api/templates/version-routes";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Editor } from "./editor.tsx";
import { MissingVersion } from "./missing-version.tsx";
import { readDefinition } from "./template-archive.ts";

const route = getRouteApi("/member/framed/templates/$template/versions/$version/edit");

export function EditPage(): ReactNode {
  return (
    <RightGate right="createTemplates" title="Edit" roles="owners and template admins">
      <EditVersion />
    </RightGate>
  );
}

function EditVersion(): ReactNode {
  const { version: id } = route.useParams();
  const version = useQuery(routeQuery(getTemplateVersion, { params: { version: id } }));
  const fileId = version.data?.job.file_id;
  const archive = useQuery({
    queryKey: [getFile.path, fileId],
    queryFn: async ({ signal }) => {
      const bytes = await client.download(getFile, { params: { file: fileId ?? "" }, signal });
      return new Uint8Array(bytes);
    },
    enabled: fileId !== undefined,
    // The content of a file never changes.
    staleTime: Infinity,
  });
  const error = version.error ?? archive.error;
  if (error !== null) return <FailureNotice error={error} missing={<MissingVersion />} />;
  if (version.data === undefined || archive.data === undefined) {
    return <Skeleton className="h-96 w-full" />;
  }
  const definition = readDefinition(archive.data);
  if (definition === undefined) {
    return (
      <Notice tone="bad" title="This version has no slipway.yaml.">
        Push a new one with <code>slipway templates push</code>.
      </Notice>
    );
  }
  return <Editor key={id} version={version.data} archive={archive.data} definition={definition} />;
}
