import type { Account, Directory, ServerRow } from "../bindings";

/** Whether an address leads into a call of one of our own servers (calls-v1-rest §17); the core looks closer. */
export function isCallLink(url: string, account: Account, servers: readonly ServerRow[] = []): boolean {
  const sites = servers.filter((one) => one.url !== "").map((one) => one.url);
  if (account.phase === "signedIn") sites.push(account.server.url);
  return sites.some((site) => leadsInto(url, site));
}

function leadsInto(url: string, server: string): boolean {
  try {
    const asked = new URL(url);
    const site = new URL(server);
    return (
      ["https:", "http:"].includes(asked.protocol) &&
      asked.host === site.host &&
      asked.pathname.startsWith(site.pathname.replace(/\/$/, "")) &&
      asked.searchParams.get("join_call") === "true"
    );
  } catch {
    return false;
  }
}

/** The address that leads into a channel's call; empty where there is no team to name in it. */
export function callLink(account: Account, directory: Directory, channel: string): string {
  const team = directory.teams.find((one) => one.id === directory.team);
  return account.phase === "signedIn" && team ? `${account.server.url}/${team.name}/channels/${channel}?join_call=true` : "";
}
