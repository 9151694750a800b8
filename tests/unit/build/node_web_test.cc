// What serves a Node.js app that has no Procfile.
#include "builder_fixture.hh"

namespace pushrod {
namespace {

class NodeWebTest : public BuilderTest {
 protected:
  NodeWebTest() {
    nginx.write("nginx", "", true);
    host.server_directories = {nginx.path()};
  }
  // The command, "files in DIRECTORY", or "none".
  std::string web(const std::string& scripts, const std::string& dependencies) {
    tree.write("package.json", "{\"scripts\": {" + scripts + "}, \"dependencies\": {" + dependencies + "}}");
    const auto planned = plan();
    const auto at = planned.description.find("; ");
    if (at != std::string::npos)
      return "files in " + planned.description.substr(at + 2, planned.description.find("/ is", at) - at - 2);
    if (!planned.default_processes.empty()) return planned.default_processes.front().command;
    return planned.guessed_web ? planned.guessed_web->command : "none";
  }

  TestTree nginx;
};

TEST_F(NodeWebTest, AFrameworkIsServedByItsOwnServer) {
  EXPECT_EQ(web(R"("build": "next build")", R"("next": "15")"), "next start -H 127.0.0.1 -p $PORT");
  EXPECT_EQ(web(R"("build": "nuxt build")", R"("nuxt": "3")"), "HOST=127.0.0.1 node .output/server/index.mjs");
  EXPECT_EQ(web(R"("build": "vite build")", R"("@sveltejs/kit": "2", "@sveltejs/adapter-node": "5", "vite": "5")"),
            "HOST=127.0.0.1 node build");
  EXPECT_EQ(web(R"("build": "astro build")", R"("astro": "5", "@astrojs/node": "9")"),
            "HOST=127.0.0.1 node dist/server/entry.mjs");
  EXPECT_EQ(web(R"("build": "x")", R"("@remix-run/serve": "2")"), "HOST=127.0.0.1 remix-serve ./build/server/index.js");
  EXPECT_EQ(web(R"("build": "x")", R"("@react-router/serve": "7")"),
            "HOST=127.0.0.1 react-router-serve ./build/server/index.js");
  EXPECT_EQ(web(R"("build": "next build", "start": "next start")", R"("next": "15")"), "npm start");
}

TEST_F(NodeWebTest, AnAstroServerThatDoesNotKnowItsHostsIsTold) {
  const auto told = [&] {
    web(R"("build": "astro build")", R"("astro": "5", "@astrojs/node": "9")");
    const auto notices = join(plan().notices, "\n");
    return notices.find("security: { allowedDomains: [{ hostname:") != std::string::npos;
  };
  EXPECT_FALSE(told());
  tree.write("astro.config.mjs", "export default { output: 'server' }\n");
  EXPECT_TRUE(told());
  tree.write("astro.config.mjs", "export default { output: 'server', security: { allowedDomains: [{}] } }\n");
  EXPECT_FALSE(told());
}

TEST_F(NodeWebTest, TheOnlyProgramOfAnNxWorkspaceIsBuiltAndRun) {
  tree.write("nx.json", "{}");
  tree.write("apps/api-e2e/package.json", R"({"name": "e2e", "nx": {}})");
  tree.write("apps/api/package.json", R"({"nx": {"name": "api", "targets": {
    "build": {"executor": "@nx/esbuild:esbuild",
              "options": {"platform": "node", "outputPath": "apps/api/dist", "main": "apps/api/src/main.ts"}},
    "serve": {"executor": "@nx/js:node"}}}})");
  EXPECT_EQ(web("", R"("nx": "20")"), "HOST=127.0.0.1 node apps/api/dist/main.js");
  EXPECT_NE(script(plan()).find("nx build api"), std::string::npos);
  EXPECT_EQ(web(R"("start": "node x.js")", R"("nx": "20")"), "npm start");
  tree.write("apps/admin/project.json", R"({"name": "admin", "targets": {
    "build": {"options": {"target": "node", "outputPath": "dist/admin"}}}})");
  EXPECT_EQ(web("", R"("nx": "20")"), "none") << "there are two";
}

TEST_F(NodeWebTest, SvelteKitThatChoosesItsAdapterChoosesTheOneForNode) {
  EXPECT_EQ(web(R"("build": "vite build")", R"("@sveltejs/adapter-auto": "6")"), "HOST=127.0.0.1 node build");
  EXPECT_EQ(plan().build_environment.at("GCP_BUILDPACKS"), "1");
  EXPECT_FALSE(plan().environment.contains("GCP_BUILDPACKS"));
}

TEST_F(NodeWebTest, AFrontEndIsServedAsFiles) {
  EXPECT_EQ(web(R"("build": "tsc && vite build", "preview": "vite preview")", R"("vite": "6")"), "files in dist");
  EXPECT_EQ(web(R"("build": "vite build --outDir public/site")", R"("vite": "6")"), "files in public/site");
  EXPECT_EQ(web(R"("build": "vite build --outDir ../x")", R"("vite": "6")"), "files in dist");
  EXPECT_EQ(web(R"("build": "astro build")", R"("astro": "5")"), "files in dist");
  EXPECT_EQ(web(R"("build": "nuxt generate")", R"("nuxt": "3")"), "files in .output/public");
  EXPECT_EQ(web(R"("build": "vitepress build docs")", R"("vitepress": "1", "vite": "5")"),
            "files in docs/.vitepress/dist");
  tree.write("next.config.mjs", "export default {\n  output: 'export',\n};\n");
  EXPECT_EQ(web(R"("build": "next build")", R"("next": "15")"), "files in out");
  tree.write("angular.json", R"({"projects": {"shop": {"architect": {"build": {
    "builder": "@angular/build:application", "options": {}}}}}})");
  EXPECT_EQ(web(R"("build": "ng build", "start": "ng serve")", R"("@angular/core": "19")"),
            "files in dist/shop/browser");
  tree.write("angular.json", "[]");
  EXPECT_EQ(web(R"("build": "ng build", "start": "ng serve")", R"("@angular/core": "19")"), "npm start");
}

TEST_F(NodeWebTest, AnAdapterForAHostElsewhereIsRefusedBeforeTheBuild) {
  const auto svelte = R"("@sveltejs/kit": "2", "@sveltejs/adapter-vercel": "5", "vite": "6")";
  EXPECT_EQ(web(R"("build": "vite build")", svelte), "none");
  EXPECT_NE(refusal<UserError>([&] {
              choose_processes(plan(), {});
            }).find("@sveltejs/adapter-vercel builds for vercel: use @sveltejs/adapter-node in svelte.config.js"),
            std::string::npos);
  const auto astro = R"("astro": "5", "@astrojs/netlify": "6")";
  EXPECT_EQ(web(R"("build": "astro build")", astro), "files in dist");
  tree.write("astro.config.mjs", "export default { output: 'server' }\n");
  EXPECT_EQ(web(R"("build": "astro build")", astro), "none");
}

TEST_F(NodeWebTest, WithoutAnythingElseWhatTheDevScriptRunsIsRun) {
  EXPECT_EQ(web(R"("dev": "NODE_ENV=x nodemon -L src/index.js")", ""), "node src/index.js");
  EXPECT_EQ(web(R"("dev": "tsx watch --env-file=.env ./src/server.ts")", R"("tsx": "4")"), "tsx ./src/server.ts");
  EXPECT_EQ(web(R"("dev": "ts-node-dev --respawn src/main.ts")", R"("ts-node": "10")"), "ts-node src/main.ts");
  EXPECT_EQ(web(R"("dev": "nodemon src/main.ts", "build": "vite build")", R"("vite": "5")"), "files in dist");
  for (const char* other :
       {"nodemon", "node ../x.js", "wrangler dev src/index.ts", "tsx a.ts", "node a.js & node b.js"})
    EXPECT_EQ(web(R"("dev": ")" + std::string(other) + "\"", ""), "none") << other;
  tree.write("src/index.js", "");
  EXPECT_EQ(web(R"("test": "x")", ""), "node src/index.js");
  EXPECT_EQ(web(R"("build": "vite build")", R"("vite": "5")"), "files in dist");
  tree.write("server.js", "");
  EXPECT_EQ(web(R"("dev": "nodemon src/index.js")", ""), "node server.js");
}

TEST_F(NodeWebTest, AServerForDevelopmentGivesWay) {
  EXPECT_EQ(web(R"("build": "react-scripts build", "start": "react-scripts start")", R"("react-scripts": "5")"),
            "files in build");
  EXPECT_EQ(
      plan().notices.back(),
      "the start script of package.json (\"react-scripts start\") is a server for development: the files that the "
      "build makes are served; commit a Procfile with \"web: npm start\" if that is wrong");
  EXPECT_EQ(web(R"("build": "nest build", "start": "nest start", "start:prod": "node dist/main")", R"("x": "1")"),
            "npm run start:prod");
  EXPECT_EQ(web(R"("build": "next build", "start": "cross-env A=b npx next dev -p 3000")", R"("next": "15")"),
            "next start -H 127.0.0.1 -p $PORT");
  EXPECT_EQ(web(R"("build": "vite build", "start": "vite")", R"("vite": "6")"), "files in dist");
  EXPECT_EQ(web(R"("build": "vite build", "start": "vite --config x")", R"("vite": "6")"), "files in dist");
  EXPECT_EQ(web(R"("start": "vite")", R"("vite": "6")"), "npm start") << "nothing is built";
  EXPECT_EQ(web(R"("build": "nest build", "start": "nest start")", R"("x": "1")"), "npm start")
      << "nothing else is known";
  EXPECT_EQ(web(R"("build": "vite build", "start": "node server.js")", R"("vite": "6")"), "npm start");
  host.server_directories = {};
  EXPECT_EQ(web(R"("build": "vite build", "start": "vite")", R"("vite": "6")"), "npm start") << "without nginx";
}

class NodeRuntimeTest : public BuilderTest {
 protected:
  NodeRuntimeTest() { programs.write("node", "#!/bin/sh\necho v20.20.2\n", true); }
};

TEST_F(NodeRuntimeTest, ANodeThatTheMachineDoesNotHaveIsALayerThatOthersAreMadeWith) {
  tree.write("package.json", R"({"dependencies": {"left": "1"}, "engines": {"node": ">=22 <23"}})");
  tree.write("package-lock.json", "{}");
  const auto node = plan();
  ASSERT_EQ(node.layers.size(), 2U);
  EXPECT_EQ(node.layers[0].description, "Node.js >=22 <23, which package.json: engines.node asks for");
  EXPECT_TRUE(node.layers[0].is_toolchain);
  EXPECT_FALSE(node.layers[1].is_toolchain);
  EXPECT_EQ(node.layers[0].mounts, (ReleaseMounts{{"node", "/node"}}));
  EXPECT_NE(script(node.layers[0].steps).find("@>=22 <23'"), std::string::npos) << script(node.layers[0].steps);
  EXPECT_NE(script(node.layers[0].steps).find("\"npm@$npm\""), std::string::npos);
  EXPECT_EQ(node.environment.at("PATH"), "/app/node_modules/.bin:/node/bin:/usr/local/bin:/usr/bin:/bin");
  EXPECT_EQ(node.layers[1].tools.find(programs.path().string()), std::string::npos) << "not the machine's node";
  EXPECT_TRUE(node.notices.empty() || node.notices[0].find("asks for") == std::string::npos);
}

TEST_F(NodeRuntimeTest, TheMachinesNodeIsUsedWhereItWillDo) {
  for (const char* range : {"20", ">=18", "20.x || 22", "nonsense"}) {
    tree.write("package.json", fmt::format(R"({{"engines": {{"node": "{}"}}}})", range));
    EXPECT_TRUE(plan().layers.empty()) << range;
    EXPECT_EQ(plan().environment.at("PATH"), "/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin");
  }
  tree.write(".nvmrc", "lts/jod\n");
  tree.write("package.json", R"({"packageManager": "npm@10.9.2+sha512.0a"})");
  ASSERT_EQ(plan().layers.size(), 1U);
  EXPECT_EQ(plan().layers[0].description, "Node.js 22, which .nvmrc asks for");
  EXPECT_NE(script(plan().layers[0].steps).find("\"npm@10.9.2\""), std::string::npos);
}

}  // namespace
}  // namespace pushrod
