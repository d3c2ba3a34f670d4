{{- define "slipway.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of objects that belong to no namespace. */}}
{{- define "slipway.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "slipway.name" .) -}}
{{- end -}}

{{- define "slipway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "slipway.labels" -}}
{{ include "slipway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Faults that a schema cannot describe. */}}
{{- define "slipway.check" -}}
{{- if and .Values.kubernetes.enabled (eq .Values.kubernetes.namespace .Release.Namespace) -}}
{{- fail (printf "kubernetes.namespace: workspaces must not run in the namespace of the server (%s), whose secrets they could mount; create another one" .Release.Namespace) -}}
{{- end -}}
{{- range $name, $value := .Values.settings -}}
{{- if has $name (list "SLIPWAY_POSTGRES_URL" "SLIPWAY_SECRET_KEY" "SLIPWAY_ADMIN_PASSWORD") -}}
{{- fail (printf "settings.%s: put it into the Secret that secret.name names" $name) -}}
{{- else if has $name (list "SLIPWAY_ACCESS_URL" "SLIPWAY_HTTP_ADDRESS" "SLIPWAY_DATA_DIR" "SLIPWAY_TRUSTED_PROXIES" "SLIPWAY_MAX_DRAIN_SECONDS" "SLIPWAY_ADMIN_USERNAME" "SLIPWAY_ADMIN_EMAIL" "SLIPWAY_KUBERNETES" "SLIPWAY_KUBERNETES_NAMESPACE" "SLIPWAY_KUBERNETES_ACCESS_URL" "SLIPWAY_KUBERNETES_AGENT_IMAGE" "SLIPWAY_KUBERNETES_ALLOW") -}}
{{- fail (printf "settings.%s: the chart sets this variable from other values" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
