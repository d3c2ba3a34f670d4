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

{{/* The parts that the pods of servers have in common with the one that migrates the database. */}}
{{- define "slipway.pod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
volumes:
  # Nothing that must outlive the pod: the database and the key are elsewhere.
  - { name: data, emptyDir: {} }
  - { name: tmp, emptyDir: {} }
  - name: secret
    secret:
      secretName: {{ .Values.secret.name | quote }}
      defaultMode: 0440
      items:
        - { key: {{ .Values.secret.postgresUrlKey | quote }}, path: postgres-url }
        - { key: {{ .Values.secret.secretKeyKey | quote }}, path: secret-key }
        {{- with .Values.secret.adminPasswordKey }}
        - { key: {{ . | quote }}, path: admin-password }
        {{- end }}
  {{- with .Values.volumes }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "slipway.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
env:
  - { name: SLIPWAY_ACCESS_URL, value: {{ .Values.accessUrl | quote }} }
  - { name: SLIPWAY_HTTP_ADDRESS, value: "0.0.0.0:3000" }
  - { name: SLIPWAY_DATA_DIR, value: /var/lib/slipway }
  - { name: HOME, value: /tmp }
  - { name: SLIPWAY_POSTGRES_URL_FILE, value: /run/secrets/slipway/postgres-url }
  - { name: SLIPWAY_SECRET_KEY_FILE, value: /run/secrets/slipway/secret-key }
  {{- if .Values.secret.adminPasswordKey }}
  - { name: SLIPWAY_ADMIN_PASSWORD_FILE, value: /run/secrets/slipway/admin-password }
  {{- end }}
  - { name: SLIPWAY_ADMIN_USERNAME, value: {{ .Values.admin.username | quote }} }
  - { name: SLIPWAY_ADMIN_EMAIL, value: {{ .Values.admin.email | quote }} }
  - { name: SLIPWAY_MAX_DRAIN_SECONDS, value: {{ .Values.drainSeconds | quote }} }
  {{- if .Values.trustedProxies }}
  - { name: SLIPWAY_TRUSTED_PROXIES, value: {{ join "," .Values.trustedProxies | quote }} }
  {{- end }}
  {{- if not (hasKey .Values.settings "SLIPWAY_STUN_ADDRESS") }}
  # The Service passes TCP only.
  - { name: SLIPWAY_STUN_ADDRESS, value: "off" }
  {{- end }}
  {{- if not (hasKey .Values.settings "SLIPWAY_DOCKER_HOST") }}
  - { name: SLIPWAY_DOCKER_HOST, value: "off" }
  {{- end }}
  {{- with .Values.kubernetes }}
  {{- if .enabled }}
  - { name: SLIPWAY_KUBERNETES, value: in-cluster }
  - { name: SLIPWAY_KUBERNETES_NAMESPACE, value: {{ .namespace | quote }} }
  {{- if .accessUrl }}
  - { name: SLIPWAY_KUBERNETES_ACCESS_URL, value: {{ .accessUrl | quote }} }
  {{- end }}
  {{- if .agentImage }}
  - { name: SLIPWAY_KUBERNETES_AGENT_IMAGE, value: {{ .agentImage | quote }} }
  {{- end }}
  {{- if .allow }}
  - { name: SLIPWAY_KUBERNETES_ALLOW, value: {{ join "," .allow | quote }} }
  {{- end }}
  {{- end }}
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  {{- /* Helm reads numbers as floating-point ones, which it would print with an exponent. */}}
  - { name: {{ $name }}, value: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ $value | quote }}{{ end }} }
  {{- end }}
  {{- with .Values.env }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .Values.resources }}
resources: {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - { name: data, mountPath: /var/lib/slipway }
  - { name: tmp, mountPath: /tmp }
  - { name: secret, mountPath: /run/secrets/slipway, readOnly: true }
  {{- with .Values.volumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}
