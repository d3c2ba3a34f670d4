/** The template of the recorded server, whose one agent can be extended. */
export const recordedTemplate = `
driver: external
agents:
  main:
    os: linux
    arch: amd64
    directory: /tmp
    env: { FOO: bar }
    troubleshooting_url: https://example.com/
    scripts:
      hello: { display_name: hello, run_on: [start], run: echo hello, log_path: hello.log }
      bye: { display_name: bye, run_on: [stop], run: echo bye, log_path: bye.log }
`;

/** The metadata of its agent, which some of the recordings contain. */
export const recordedMetadata = `
    metadata:
      a: { display_name: A, interval: 10s, timeout: 5s, run: echo 1 }
      b: { display_name: B, interval: 10s, timeout: 5s, run: echo 2 }
`;

/** The app of its agent, which some of the recordings contain. */
export const recordedApp = `
    apps:
      web:
        display_name: Web
        url: http://localhost:8088
        health: { url: "http://localhost:8088/", interval: 5s, threshold: 3 }
`;
