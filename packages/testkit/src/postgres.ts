/** The PostgreSQL of a test run, for tools that start it themselves, without the server that the main entry loads. */
export { openOwnPostgres } from "./database/test-postgres.ts";
