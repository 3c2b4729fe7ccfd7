import java.security.KeyStore;
import javax.net.ssl.*;
public class Main {
  public static void main(String[] words) throws Exception {
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init((KeyStore) null);
    int trusted = ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers().length;
    System.out.println("jar " + (trusted > 50) + " " + System.getProperty("java.home").endsWith("/lib/openjdk") + " " + String.join(",", words));
  }
}
