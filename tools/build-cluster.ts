/* Builds the programs of the tests' Kubernetes, which takes minutes the first time, and prints their directory. */
import { buildClusterPrograms } from "@slipway/testkit/clusters";

process.stdout.write(`${await buildClusterPrograms()}\n`);
