/* Builds the programs of the tests' Kubernetes, which takes minutes the first time, and prints their paths. */
import { buildClusterPrograms, buildHelm } from "@slipway/testkit/clusters";

process.stdout.write(`${await buildClusterPrograms()}\n${await buildHelm()}\n`);
