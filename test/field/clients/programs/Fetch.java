import java.net.HttpURLConnection;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.io.entity.EntityUtils;

/** Fetch HOW URL: prints the status and the body, or to stderr every error in the chain of causes; exit 0 only for 200. Proxy and authority are in
 * the system properties. */
public class Fetch {
    static int status;
    static String body;

    public static void main(String[] arguments) {
        try {
            String url = arguments[1];
            switch (arguments[0]) {
                case "httpclient5": httpclient5(url); break;
                case "okhttp": okhttp(url); break;
                case "jdk": jdk(url); break;
                case "urlconnection": urlconnection(url); break;
                case "websocket": websocket(url); break;
                default: throw new IllegalArgumentException(arguments[0]);
            }
        } catch (Exception e) {
            for (Throwable t = e; t != null; t = t.getCause()) System.err.println(t);
            System.exit(1);
        }
        System.out.println(status + " " + body);
        System.exit(status == 200 ? 0 : 1);
    }

    static void httpclient5(String url) throws Exception {
        try (var client = HttpClients.createSystem()) {
            client.execute(new HttpGet(url), reply -> {
                status = reply.getCode();
                body = EntityUtils.toString(reply.getEntity());
                return null;
            });
        }
    }

    static void okhttp(String url) throws Exception {
        var client = new okhttp3.OkHttpClient();
        try (var reply = client.newCall(new okhttp3.Request.Builder().url(url).build()).execute()) {
            status = reply.code();
            body = reply.body().string();
        }
    }

    static HttpClient client() {
        return HttpClient.newBuilder().proxy(ProxySelector.getDefault()).build();
    }

    static void jdk(String url) throws Exception {
        var reply = client().send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
        status = reply.statusCode();
        body = reply.body();
    }

    static void urlconnection(String url) throws Exception {
        var connection = (HttpURLConnection) new URL(url).openConnection();
        status = connection.getResponseCode();
        var stream = status < 400 ? connection.getInputStream() : connection.getErrorStream();
        body = new String(stream.readAllBytes());
    }

    static void websocket(String url) throws Exception {
        var answer = new CompletableFuture<String>();
        var listener = new WebSocket.Listener() {
            @Override
            public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
                answer.complete(data.toString());
                return null;
            }

            @Override
            public void onError(WebSocket socket, Throwable error) {
                answer.completeExceptionally(error);
            }
        };
        client().newWebSocketBuilder().buildAsync(URI.create(url), listener).get().sendText("hello", true);
        body = answer.get();
        status = 200;
    }
}
