import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { createCache } from "./api/cache.ts";
import { endSession } from "./api/page-session.ts";
import { startTheme } from "./components/shell/theme.ts";
import { createDashboardRouter } from "./router.tsx";
import { ToastArea } from "./ui/toasts.tsx";

startTheme();

// Before a page is shown, its route leads to the log-in, or to the set-up of a new deployment.
const cache = createCache(endSession);
const router = createDashboardRouter(cache);

const place = document.querySelector("#root");
if (place === null) throw new Error("the page has no element #root");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={cache}>
      <ToastArea>
        <RouterProvider router={router} />
      </ToastArea>
    </QueryClientProvider>
  </StrictMode>,
);
