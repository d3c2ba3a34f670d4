/* The configuration of a cluster's programs. */

export function kubeconfig({
  url,
  token,
  ca,
}: {
  readonly url: string;
  readonly token: string;
  readonly ca: Uint8Array;
}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [
      {
        name: "test",
        cluster: {
          server: url,
          "certificate-authority-data": Buffer.from(ca).toString("base64"),
        },
      },
    ],
    users: [{ name: "test", user: { token } }],
  });
}

export function containerdConfig({
  directory,
  pauseImage,
}: {
  readonly directory: string;
  readonly pauseImage: string;
}): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `
version = 2
root = "${directory}/containerd"
state = "${directory}/containerd-state"
[grpc]
  address = "${directory}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/containerd-opt"
[${cri}]
  sandbox_image = "${pauseImage}"
  # Without the right to lower it, every pod would fail.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${directory}/net.d"
`;
}

export function networkConfig({
  directory,
  bridge,
  network,
}: {
  readonly directory: string;
  readonly bridge: string;
  readonly network: string;
}): string {
  return JSON.stringify({
    cniVersion: "0.4.0",
    name: "slipway",
    type: "bridge",
    bridge,
    ipam: {
      type: "host-local",
      dataDir: `${directory}/addresses`,
      ranges: [[{ subnet: `${network}.0/24`, rangeStart: `${network}.10` }]],
      routes: [{ dst: "0.0.0.0/0", gw: `${network}.1` }],
    },
  });
}

export function kubeletConfig({
  directory,
  group,
  port,
  address,
}: {
  readonly directory: string;
  /** The control group of all pods. */
  readonly group: string;
  readonly port: number;
  readonly address: string;
}): string {
  return JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address,
    port,
    healthzPort: 0,
    containerRuntimeEndpoint: `unix://${directory}/containerd.sock`,
    podLogsDir: `${directory}/pods`,
    cgroupDriver: "cgroupfs",
    // A kubelet ends what it does not know below it.
    cgroupRoot: group,
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    // The machine's disk may be nearly full.
    evictionHard: {
      "nodefs.available": "1Mi",
      "imagefs.available": "1Mi",
      "memory.available": "1Mi",
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    serializeImagePulls: false,
    syncFrequency: "5s",
    nodeStatusUpdateFrequency: "5s",
    shutdownGracePeriod: "0s",
    maxPods: 200,
  });
}
