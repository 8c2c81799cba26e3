import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, ApiError } from "../../src/api.js";
import { Loader } from "../../src/loaded.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

describe("something that is fetched", () => {
  it("is fetched when somebody wants it, once for all", async () => {
    const load = vi.fn(async () => 7);
    const loader = new Loader(load);
    expect(load).not.toHaveBeenCalled();
    loader.subscribe(() => {});
    loader.subscribe(() => {});
    expect(loader.get().loading).toBe(true);
    await settle();
    expect(loader.get()).toEqual({ value: 7, error: undefined, loading: false });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it("stays while it does not come, and is asked for again by itself", async () => {
    const answers = [() => 1, () => Promise.reject(new ApiError("unavailable", 503, "", 9_000)), () => 2];
    const loader = new Loader(async () => answers.shift()?.() as number);
    loader.subscribe(() => {});
    await settle();
    await loader.refresh();
    expect(loader.get()).toMatchObject({ value: 1, loading: false, error: { code: "unavailable" } });
    await vi.advanceTimersByTimeAsync(8_999);
    expect(loader.get().value).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(loader.get()).toEqual({ value: 2, error: undefined, loading: false });
  });

  it("is not asked for again where that is of no use, or nobody wants it", async () => {
    const refused = vi.fn(() => Promise.reject(new ApiError("forbidden", 403, "")));
    new Loader(refused).subscribe(() => {});
    const away = vi.fn(() => Promise.reject(new ApiError("unreachable", 0, "")));
    const leave = new Loader(away).subscribe(() => {});
    await settle();
    leave();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refused).toHaveBeenCalledTimes(1);
    expect(away).toHaveBeenCalledTimes(1);
  });

  it("is asked for again no sooner than said, and once", async () => {
    const load = vi.fn(async () => 1);
    const loader = new Loader(load);
    loader.subscribe(() => {});
    await settle();
    loader.refreshAfter(5_000);
    loader.refreshAfter(5_000);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(load).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(load).toHaveBeenCalledTimes(2);
  });
});

describe("a call", () => {
  const answering = (status: number, body: string) => {
    const fetched = vi.fn(async (_path: string, _asked: RequestInit) => new Response(body, { status }));
    vi.stubGlobal("fetch", fetched);
    return fetched;
  };

  it("has the token in its header and nowhere else, and names a change", async () => {
    const fetched = answering(200, "{}");
    await new Api(
      () => "secret",
      () => {},
    ).clear("a/b", "u", "end of shift & more", "op");
    const [path, asked] = fetched.mock.calls[0] ?? [];
    expect(path).toBe("/api/presence/accounts/a%2Fb?reason=end+of+shift+%26+more&userId=u");
    expect(asked).toMatchObject({
      method: "DELETE",
      headers: { authorization: "Bearer secret", "idempotency-key": "op" },
    });
  });

  it.each([
    [409, '{"code":"not_held","detail":"gone"}', { code: "not_held", status: 409 }],
    [
      503,
      '{"code":"unavailable","detail":"","retryAfterMs":700}',
      { code: "unavailable", retryAfterMs: 700 },
    ],
    [502, "<html>", { code: "unreachable", status: 502 }],
    [404, '{"code":7}', { code: "internal", status: 404 }],
  ])("that is answered %i fails with what the hub says", async (status, body, error) => {
    answering(status, body);
    const refused = vi.fn();
    await expect(new Api(() => "", refused).mine()).rejects.toMatchObject(error);
    expect(refused).not.toHaveBeenCalled();
  });

  it("tells when the token is worth nothing, and when there is no hub", async () => {
    answering(401, '{"code":"unauthorized","detail":""}');
    const refused = vi.fn();
    await expect(new Api(() => "", refused).mine()).rejects.toMatchObject({ code: "unauthorized" });
    expect(refused).toHaveBeenCalledTimes(1);
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    await expect(new Api(() => "", refused).mine()).rejects.toMatchObject({ code: "unreachable", status: 0 });
  });
});
